"""Publishes NAME-1, NAME-2, ... persistent and confirmed, and prints each number once it is confirmed. Goes on over lost connections."""
import os
import sys
import time

import pika
import pika.exceptions

queue, name = sys.argv[1:]
number, channel = 1, None
while True:
    try:
        if channel is None:
            channel = pika.BlockingConnection(pika.URLParameters(os.environ['BROKER_URL'])).channel()
            channel.queue_declare(queue, durable=True)
            channel.confirm_delivery()
            print('publishing')
        channel.basic_publish('', queue, '%s-%d' % (name, number), pika.BasicProperties(delivery_mode=2), mandatory=True)
        print('confirmed %s-%d' % (name, number))
        number += 1
    except pika.exceptions.AMQPError as error:
        # clear errors: the broker said why, or the connection is gone
        print('error', type(error).__name__)
        channel = None
        time.sleep(0.05)
