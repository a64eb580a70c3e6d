"""The stand-in for AWS: moto's server, with our own strictness in front of it."""
