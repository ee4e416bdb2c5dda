"""Puts the tasks named on the command line into a durable queue, persistent."""
import os
import sys

import pika

queue, tasks = sys.argv[1], sys.argv[2:]
connection = pika.BlockingConnection(pika.URLParameters(os.environ.get('BROKER_URL', 'amqp://localhost')))
channel = connection.channel()
channel.queue_declare(queue=queue, durable=True)
for task in tasks:
    channel.basic_publish(exchange='', routing_key=queue, body=task, properties=pika.BasicProperties(delivery_mode=2))
    print('queued', task)
connection.close()
