#!/usr/bin/env python3
"""Tutorial 6: asks for a Fibonacci number and waits for the answer."""
import os
import sys
import uuid

import pika


class FibonacciClient:
    def __init__(self):
        self.connection = pika.BlockingConnection(pika.URLParameters(os.environ.get('BROKER_URL', 'amqp://localhost')))
        self.channel = self.connection.channel()
        self.callback_queue = self.channel.queue_declare(queue='', exclusive=True).method.queue
        self.channel.basic_consume(queue=self.callback_queue, on_message_callback=self.on_response, auto_ack=True)
        self.response = None
        self.correlation_id = None

    def on_response(self, _channel, _method, properties, body):
        if properties.correlation_id == self.correlation_id:
            self.response = body

    def call(self, n):
        self.response = None
        self.correlation_id = str(uuid.uuid4())
        self.channel.basic_publish(exchange='', routing_key='rpc_queue', body=str(n),
                                   properties=pika.BasicProperties(reply_to=self.callback_queue, correlation_id=self.correlation_id))
        while self.response is None:
            self.connection.process_data_events(time_limit=None)
        return int(self.response)


n = int(sys.argv[1]) if len(sys.argv) > 1 else 30
print(f' [x] Requesting fib({n})')
print(f' [.] Got {FibonacciClient().call(n)}')
