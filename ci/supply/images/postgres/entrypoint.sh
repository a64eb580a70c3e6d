#!/bin/sh
# Make the database cluster if there is none yet, then become the server.
# A kill at any point is repaired by the next start: the cluster is made in $PGDATA/new and moved up, and
# PG_VERSION, by which a cluster is known, is moved last.
set -eu
umask 077

fail() {
  echo "postgres image: $1" >&2
  exit 1
}

make_cluster() {
  superuser=${POSTGRES_USER:-postgres}
  database=${POSTGRES_DB:-$superuser}
  if [ -n "${POSTGRES_PASSWORD_FILE:-}" ]; then
    password=$(cat "$POSTGRES_PASSWORD_FILE") || fail "cannot read $POSTGRES_PASSWORD_FILE"
  else
    password=${POSTGRES_PASSWORD:-}
  fi
  [ -n "$password" ] || fail "set POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE"
  if [ -e "$PGDATA/new" ]; then
    find "$PGDATA" -mindepth 1 -delete
  fi
  [ -z "$(ls -A "$PGDATA")" ] || fail "$PGDATA holds files but no database cluster"

  mkdir "$PGDATA/new"
  printf '%s\n' "$password" > /tmp/password
  initdb --pgdata="$PGDATA/new" --username="$superuser" --pwfile=/tmp/password \
    --locale=C.UTF-8 --encoding=UTF8 --auth-local=trust --auth-host=scram-sha-256 --no-sync
  rm /tmp/password
  echo "host all all all scram-sha-256" >> "$PGDATA/new/pg_hba.conf"
  echo "listen_addresses = '*'" >> "$PGDATA/new/postgresql.conf"
  if [ "$database" != postgres ]; then
    quoted=$(printf '%s' "$database" | sed 's/"/""/g')
    echo "CREATE DATABASE \"$quoted\"" | postgres --single -D "$PGDATA/new" postgres > /dev/null
  fi
  find "$PGDATA/new" -mindepth 1 -maxdepth 1 ! -name PG_VERSION -exec mv -t "$PGDATA" {} +
  sync -f "$PGDATA"
  mv "$PGDATA/new/PG_VERSION" "$PGDATA"
}

case "${1:-postgres}" in
-*) set -- postgres "$@" ;;
esac
[ "${1:-postgres}" = postgres ] || exec "$@"

if [ "$(id -u)" = 0 ]; then
  mkdir -p "$PGDATA"
  [ "$(stat -c %u "$PGDATA")" = "$(id -u postgres)" ] || chown -R postgres:postgres "$PGDATA"
  exec setpriv --reuid=postgres --regid=postgres --init-groups --inh-caps=-all -- "$0" "$@"
fi
[ -s "$PGDATA/PG_VERSION" ] || make_cluster
rm -rf "$PGDATA/new"
chmod 0700 "$PGDATA"
exec "$@"
