"""The system as the rules see it: typed, built once, from sources and rendered manifests."""
