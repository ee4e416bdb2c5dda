"""Works two seconds on every task, one at a time, and acknowledges it afterwards."""
import os
import sys
import time

import pika

queue = sys.argv[1]
seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 2
connection = pika.BlockingConnection(pika.URLParameters(os.environ.get('BROKER_URL', 'amqp://localhost')))
channel = connection.channel()
channel.queue_declare(queue=queue, durable=True)


def work(ch, method, properties, body):
    print('started', body.decode(), '(again)' if method.redelivered else '')
    time.sleep(seconds)
    ch.basic_ack(delivery_tag=method.delivery_tag)
    print('finished', body.decode())


channel.basic_qos(prefetch_count=1)
channel.basic_consume(queue=queue, on_message_callback=work)
print('ready')
channel.start_consuming()
