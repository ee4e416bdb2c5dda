#!/bin/sh
# Links the programs under RabbitMQ's names: link-commands.sh BIN-OF-WARRENMQ TARGET-DIRECTORY
set -eu
for name in warren rabbitmq-server; do ln -sf "$1/warren" "$2/$name"; done
for name in warrenctl rabbitmqctl rabbitmq-diagnostics rabbitmq-queues rabbitmq-plugins rabbitmq-upgrade rabbitmq-streams; do
  ln -sf "$1/warrenctl" "$2/$name"
done
