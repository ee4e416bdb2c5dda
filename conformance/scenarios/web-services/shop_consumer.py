"""The consumer of service B: keeps service A's products in its own database, also those that changed while it was away.

    shop_consumer.py DATABASE
"""
import json
import os
import sqlite3
import sys
import time

import pika
import pika.exceptions

DATABASE = sys.argv[1]
QUEUE = os.environ['QUEUE']

database = sqlite3.connect(DATABASE, timeout=10)
database.execute('CREATE TABLE IF NOT EXISTS product (id INTEGER PRIMARY KEY, title TEXT, price INTEGER)')


def on_event(channel, method, properties, body):
    data = json.loads(body)
    if properties.content_type in ('product_created', 'product_updated'):
        database.execute('INSERT OR REPLACE INTO product VALUES (?, ?, ?)', (data['id'], data['title'], data['price']))
    elif properties.content_type == 'product_deleted':
        database.execute('DELETE FROM product WHERE id = ?', (data,))
    database.commit()
    # only now: an event that was not kept comes again
    channel.basic_ack(method.delivery_tag)
    print(properties.content_type)


while True:
    try:
        channel = pika.BlockingConnection(pika.URLParameters(os.environ['BROKER_URL'])).channel()
        channel.queue_declare(QUEUE, durable=True)
        channel.basic_qos(prefetch_count=10)
        channel.basic_consume(QUEUE, on_event)
        print('consuming')
        channel.start_consuming()
    except pika.exceptions.AMQPError as error:
        print('no broker:', type(error).__name__)
        time.sleep(0.1)
