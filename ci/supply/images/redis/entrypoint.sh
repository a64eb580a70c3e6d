#!/bin/sh
# Options alone, or a configuration file, are for redis-server. Protected mode is off as in the official image
# (the network decides who connects); an option given later wins.
set -eu
case "${1:-}" in
-*) set -- redis-server --protected-mode no "$@" ;;
*.conf) set -- redis-server "$@" ;;
redis-server) [ $# -gt 1 ] || set -- redis-server --protected-mode no ;;
esac
exec "$@"
