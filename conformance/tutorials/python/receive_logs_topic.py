#!/usr/bin/env python3
"""Tutorial 5: listens to the patterns named on the command line."""
import os
import sys

import pika

binding_keys = sys.argv[1:]
if not binding_keys:
    sys.stderr.write(f'Usage: {sys.argv[0]} [binding_key]...\n')
    sys.exit(1)

connection = pika.BlockingConnection(pika.URLParameters(os.environ.get('BROKER_URL', 'amqp://localhost')))
channel = connection.channel()
channel.exchange_declare(exchange='topic_logs', exchange_type='topic')
queue_name = channel.queue_declare('', exclusive=True).method.queue
for binding_key in binding_keys:
    channel.queue_bind(exchange='topic_logs', queue=queue_name, routing_key=binding_key)
print(' [*] Waiting for logs. To exit press CTRL+C')
channel.basic_consume(queue=queue_name, on_message_callback=lambda _ch, method, _properties, body: print(f' [x] {method.routing_key}:{body.decode()}'), auto_ack=True)
channel.start_consuming()
