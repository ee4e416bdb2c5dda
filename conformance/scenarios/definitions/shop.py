"""Uses what definitions.json declares: a user of its own in a virtual host of its own, an exchange and two queues. Declares nothing."""
import os
import sys
from urllib.parse import urlparse

import pika
import pika.exceptions

address = urlparse(os.environ['BROKER_URL'])


def connect(user, password, virtual_host):
    return pika.BlockingConnection(pika.ConnectionParameters(address.hostname, address.port, virtual_host, pika.PlainCredentials(user, password)))


def refused(act):
    try:
        act()
    except (pika.exceptions.ChannelClosedByBroker, pika.exceptions.ConnectionClosedByBroker) as error:
        return error.reply_code, error.reply_text
    except pika.exceptions.AMQPConnectionError as error:
        return str(error)
    return 'allowed'


connection = connect('shop', 'pässword/1', 'shop')
channel = connection.channel()
channel.confirm_delivery()
for key in ('new', 'paid', 'paid', 'paid'):
    channel.basic_publish('orders', key, key, mandatory=True)
for queue in ('orders.new', 'orders.paid'):
    print(queue, channel.queue_declare(queue, passive=True).method.message_count)
print(refused(lambda: connection.channel().queue_declare('elsewhere')))
connection.channel().queue_declare('shop.own', exclusive=True)
print('shop in /:', refused(lambda: connect('shop', 'pässword/1', '/')))
print('guest in shop:', refused(lambda: connect('guest', 'guest', 'shop')))
connect('admin', 'secret', '/').channel().queue_declare('anything', exclusive=True)
print('admin in /: allowed')
sys.exit(0)
