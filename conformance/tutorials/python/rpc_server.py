#!/usr/bin/env python3
"""Tutorial 6: computes Fibonacci numbers on request."""
import os

import pika

connection = pika.BlockingConnection(pika.URLParameters(os.environ.get('BROKER_URL', 'amqp://localhost')))
channel = connection.channel()
channel.queue_declare(queue='rpc_queue')


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def on_request(ch, method, properties, body):
    n = int(body)
    print(f' [.] fib({n})')
    ch.basic_publish(exchange='', routing_key=properties.reply_to, properties=pika.BasicProperties(correlation_id=properties.correlation_id), body=str(fib(n)))
    ch.basic_ack(delivery_tag=method.delivery_tag)


channel.basic_qos(prefetch_count=1)
channel.basic_consume(queue='rpc_queue', on_message_callback=on_request)
print(' [x] Awaiting RPC requests')
channel.start_consuming()
