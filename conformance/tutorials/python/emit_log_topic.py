#!/usr/bin/env python3
"""Tutorial 5: tells those whose pattern matches the routing key."""
import os
import sys

import pika

connection = pika.BlockingConnection(pika.URLParameters(os.environ.get('BROKER_URL', 'amqp://localhost')))
channel = connection.channel()
channel.exchange_declare(exchange='topic_logs', exchange_type='topic')
routing_key = sys.argv[1] if len(sys.argv) > 2 else 'anonymous.info'
message = ' '.join(sys.argv[2:]) or 'Hello World!'
channel.basic_publish(exchange='topic_logs', routing_key=routing_key, body=message)
print(f' [x] Sent {routing_key}:{message}')
connection.close()
