#!/bin/sh
# In front of runc on hosts that lack a capability: takes out of the container's specification what the host
# cannot give, then runs the real runc. Installed only where something is missing (ci/local/engine.py).
missing='@MISSING@'
command='' bundle=. process='' previous=''
for argument in "$@"; do
  case "$previous" in
    --bundle|-b) bundle=$argument ;;
    --process|-p) process=$argument ;;
  esac
  case "$argument" in
    create|run|exec) [ -n "$command" ] || command=$argument ;;
    --bundle=*) bundle=${argument#--bundle=} ;;
    --process=*) process=${argument#--process=} ;;
  esac
  previous=$argument
done
strip() {
  jq --argjson missing "$missing" "$2 |= (if . == null then . else map_values(. - \$missing) end)" "$1" > "$1.slipway" \
    && cat "$1.slipway" > "$1"
  rm -f "$1.slipway"
}
case "$command" in
  create|run) strip "$bundle/config.json" .process.capabilities ;;
  exec) [ -z "$process" ] || strip "$process" .capabilities ;;
esac
for real in /usr/sbin/runc /usr/bin/runc /usr/local/sbin/runc; do
  [ -x "$real" ] && exec "$real" "$@"
done
echo "runc is missing" >&2
exit 127
