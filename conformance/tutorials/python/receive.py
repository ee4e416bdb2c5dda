#!/usr/bin/env python3
"""Tutorial 1: prints what arrives in the queue «hello», until Ctrl+C."""
import os
import sys

import pika


def main():
    connection = pika.BlockingConnection(pika.URLParameters(os.environ.get('BROKER_URL', 'amqp://localhost')))
    channel = connection.channel()
    # whoever comes first makes the queue
    channel.queue_declare(queue='hello')

    def on_message(_channel, _method, _properties, body):
        print(f' [x] Received {body.decode()}')

    channel.basic_consume(queue='hello', on_message_callback=on_message, auto_ack=True)
    print(' [*] Waiting for messages. To exit press CTRL+C')
    channel.start_consuming()


try:
    main()
except KeyboardInterrupt:
    print('Interrupted')
    sys.exit(0)
