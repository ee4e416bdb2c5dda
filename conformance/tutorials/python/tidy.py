#!/usr/bin/env python3
"""Not a tutorial: deletes what the tutorials leave behind, so that they can be run again on the same broker."""
import os

import pika

connection = pika.BlockingConnection(pika.URLParameters(os.environ.get('BROKER_URL', 'amqp://localhost')))
channel = connection.channel()
for queue in ('hello', 'task_queue', 'rpc_queue'):
    channel.queue_delete(queue)
for exchange in ('logs', 'direct_logs', 'topic_logs'):
    channel.exchange_delete(exchange)
connection.close()
