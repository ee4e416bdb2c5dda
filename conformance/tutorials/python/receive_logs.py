#!/usr/bin/env python3
"""Tutorial 3: listens with a queue of its own."""
import os

import pika

connection = pika.BlockingConnection(pika.URLParameters(os.environ.get('BROKER_URL', 'amqp://localhost')))
channel = connection.channel()
channel.exchange_declare(exchange='logs', exchange_type='fanout')
queue_name = channel.queue_declare(queue='', exclusive=True).method.queue
channel.queue_bind(exchange='logs', queue=queue_name)
print(' [*] Waiting for logs. To exit press CTRL+C')
channel.basic_consume(queue=queue_name, on_message_callback=lambda _ch, _method, _properties, body: print(f' [x] {body.decode()}'), auto_ack=True)
channel.start_consuming()
