#!/usr/bin/env python3
"""Tutorial 2: takes tasks one at a time; a task is only acknowledged when it is done."""
import os
import time

import pika

connection = pika.BlockingConnection(pika.URLParameters(os.environ.get('BROKER_URL', 'amqp://localhost')))
channel = connection.channel()
channel.queue_declare(queue='task_queue', durable=True)


def on_task(ch, method, _properties, body):
    print(f' [x] Received {body.decode()}')
    time.sleep(body.count(b'.'))
    print(' [x] Done')
    ch.basic_ack(delivery_tag=method.delivery_tag)


channel.basic_qos(prefetch_count=1)
channel.basic_consume(queue='task_queue', on_message_callback=on_task)
print(' [*] Waiting for messages. To exit press CTRL+C')
channel.start_consuming()
