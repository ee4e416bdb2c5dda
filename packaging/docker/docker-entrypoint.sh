#!/bin/sh
# Starts the broker as the user rabbitmq, whoever the volume belonged to. Any other command is run as it is.
set -eu

# `docker run warrenmq --help`
case "${1:-}" in
'' | -*) set -- rabbitmq-server "$@" ;;
esac

case "$1" in
rabbitmq-server | warren)
  data=${WARREN_DATA_DIR:-/var/lib/rabbitmq/warren}
  if [ "$(id -u)" = 0 ] && id rabbitmq >/dev/null 2>&1; then
    mkdir -p "$data"
    for directory in /var/lib/rabbitmq /var/log/rabbitmq "$data"; do
      [ ! -d "$directory" ] || find "$directory" ! -user rabbitmq -exec chown rabbitmq:rabbitmq {} +
    done
    exec setpriv --reuid=rabbitmq --regid=rabbitmq --init-groups --no-new-privs "$@"
  fi
  ;;
esac
exec "$@"
