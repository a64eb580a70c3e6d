#!/bin/bash
# Run both halves of the server; when one ends, the container ends (and Docker starts it again).
set -eu
fcgiwrap -c 8 -s unix:/tmp/fcgi.sock &
nginx -c /etc/slipway/nginx.conf &
trap 'kill -TERM $(jobs -p) 2> /dev/null; wait; exit 0' TERM INT
wait -n || true
echo "git server: one of its two processes ended" >&2
kill $(jobs -p) 2> /dev/null || true
exit 1
