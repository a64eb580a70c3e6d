#!/bin/sh
# A configuration file as only argument means `serve`; everything else is the program's own arguments.
set -eu
case "${1:-}" in
*.yml | *.yaml) set -- serve "$@" ;;
esac
exec docker-registry "$@"
