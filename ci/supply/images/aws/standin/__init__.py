"""The stand-in for AWS: moto's services behind our own gate and our own CloudFormation."""

import os

# Before moto is imported: nothing here starts an instance, and a thousand machine images per account cost a second
# and tens of MiB each time.
os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
