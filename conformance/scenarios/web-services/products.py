"""Service A: a web service with products in its own database. It tells the rest of the world about every change.

    products.py PORT DATABASE
"""
import json
import os
import sqlite3
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pika
import pika.exceptions

PORT, DATABASE = int(sys.argv[1]), sys.argv[2]
QUEUE = os.environ['QUEUE']

database = sqlite3.connect(DATABASE, check_same_thread=False)
database.execute('CREATE TABLE IF NOT EXISTS product (id INTEGER PRIMARY KEY, title TEXT, price INTEGER)')
lock = threading.Lock()


class Events:
    """Publishes with confirms; whatever fails is tried again on a new connection, so the broker may come later or go away."""

    def __init__(self):
        self.channel = None

    def publish(self, kind, data):
        properties = pika.BasicProperties(content_type=kind, delivery_mode=2)
        while True:
            try:
                if self.channel is None:
                    self.channel = pika.BlockingConnection(pika.URLParameters(os.environ['BROKER_URL'])).channel()
                    self.channel.queue_declare(QUEUE, durable=True)
                    self.channel.confirm_delivery()
                self.channel.basic_publish(exchange='', routing_key=QUEUE, body=json.dumps(data), properties=properties)
                return
            except pika.exceptions.AMQPError:
                self.channel = None
                time.sleep(0.1)


events = Events()


class Handler(BaseHTTPRequestHandler):
    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header('content-type', 'application/json')
        self.send_header('content-length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def body(self):
        return json.loads(self.rfile.read(int(self.headers['content-length'])))

    def do_GET(self):
        with lock:
            rows = database.execute('SELECT id, title, price FROM product ORDER BY id').fetchall()
        self.answer(200, [{'id': i, 'title': title, 'price': price} for i, title, price in rows])

    def do_POST(self):
        product = self.body()
        with lock:
            cursor = database.execute('INSERT INTO product (title, price) VALUES (?, ?)', (product['title'], product['price']))
            database.commit()
            product['id'] = cursor.lastrowid
            events.publish('product_created', product)
        self.answer(201, product)

    def do_PUT(self):
        product = {**self.body(), 'id': int(self.path.split('/')[-1])}
        with lock:
            database.execute('UPDATE product SET title = ?, price = ? WHERE id = ?', (product['title'], product['price'], product['id']))
            database.commit()
            events.publish('product_updated', product)
        self.answer(200, product)

    def do_DELETE(self):
        product_id = int(self.path.split('/')[-1])
        with lock:
            database.execute('DELETE FROM product WHERE id = ?', (product_id,))
            database.commit()
            events.publish('product_deleted', product_id)
        self.answer(200, product_id)

    def log_message(self, *_args):
        pass


server = ThreadingHTTPServer(('127.0.0.1', PORT), Handler)
print('serving')
server.serve_forever()
