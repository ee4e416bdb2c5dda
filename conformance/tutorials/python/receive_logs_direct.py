#!/usr/bin/env python3
"""Tutorial 4: listens to the severities named on the command line."""
import os
import sys

import pika

severities = sys.argv[1:]
if not severities:
    sys.stderr.write(f'Usage: {sys.argv[0]} [info] [warning] [error]\n')
    sys.exit(1)

connection = pika.BlockingConnection(pika.URLParameters(os.environ.get('BROKER_URL', 'amqp://localhost')))
channel = connection.channel()
channel.exchange_declare(exchange='direct_logs', exchange_type='direct')
queue_name = channel.queue_declare(queue='', exclusive=True).method.queue
for severity in severities:
    channel.queue_bind(exchange='direct_logs', queue=queue_name, routing_key=severity)
print(' [*] Waiting for logs. To exit press CTRL+C')
channel.basic_consume(queue=queue_name, on_message_callback=lambda _ch, method, _properties, body: print(f' [x] {method.routing_key}:{body.decode()}'), auto_ack=True)
channel.start_consuming()
