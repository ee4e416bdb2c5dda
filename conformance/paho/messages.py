"""Messages, sessions, wills and properties through paho."""

import time

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
import pika

from session import Client
from checks import check, equal, eventually, main, unique
import os


@check('messages of every QoS go both ways, in every version')
def _():
    for version in (mqtt.MQTTv31, mqtt.MQTTv311, mqtt.MQTTv5):
        with Client('paho-s%d' % version, version) as subscriber, Client('paho-p%d' % version, version) as publisher:
            topic = unique('qos') + '/x'
            for qos in (0, 1, 2):
                equal(subscriber.subscribe(topic + str(qos), qos), [qos])
                for number in range(50):
                    publisher.publish(topic + str(qos), b'%d' % number, qos)
                eventually(lambda: len(subscriber.messages) == 50, what='50 messages of QoS %d' % qos)
                equal([m.payload for m in subscriber.messages], [b'%d' % n for n in range(50)])
                equal({m.qos for m in subscriber.messages}, {qos})
                subscriber.messages.clear()


@check('a session keeps messages while its client is away')
def _():
    topic = unique('away')
    first = Client('paho-away', clean=False)
    equal(first.session_present, 0)
    first.subscribe(topic, 2)
    first.end()
    with Client() as publisher:
        for number in range(20):
            publisher.publish(topic, b'%d' % number, 2)
    with Client('paho-away', clean=False) as second:
        equal(second.session_present, 1)
        eventually(lambda: len(second.messages) == 20)
        equal(second.payloads(), [b'%d' % n for n in range(20)])
    Client('paho-away', clean=True).end()


@check('a will is published when the connection is lost')
def _():
    topic = unique('will')
    with Client() as watcher:
        watcher.subscribe(topic, 1)
        lost = Client('paho-lost', will=(topic, b'gone', 1, False))
        lost.cut()
        eventually(lambda: watcher.payloads() == [b'gone'])


@check('a retained message comes to who subscribes later, by a wildcard')
def _():
    base = unique('retained')
    with Client() as publisher:
        publisher.publish(base + '/a', b'1', 1, True)
        publisher.publish(base + '/b', b'2', 1, True)
        publisher.publish(base + '/a', b'', 1, True)
    with Client() as late:
        late.subscribe(base + '/#', 1)
        eventually(lambda: late.payloads() == [b'2'])
        equal(late.messages[0].retain, 1)


@check('a wrong password is refused with code 4')
def _():
    client = mqtt.Client('paho-wrong')
    client.username_pw_set('guest', 'wrong')
    codes = []
    client.on_connect = lambda _c, _u, _f, code: codes.append(code)
    client.connect('127.0.0.1', int(os.environ['MQTT_PORT']))
    eventually(lambda: codes, step=lambda: client.loop(0.1))
    equal(codes[0], 4)


@check('properties of MQTT 5 come through')
def _():
    with Client('paho-five', mqtt.MQTTv5) as client:
        topic = unique('five')
        client.subscribe(topic, 1)
        properties = Properties(PacketTypes.PUBLISH)
        properties.ContentType = 'text/plain'
        properties.ResponseTopic = 'answers'
        properties.CorrelationData = b'\x00\xff'
        properties.MessageExpiryInterval = 100
        properties.UserProperty = [('a', '1'), ('a', '2')]
        client.publish(topic, b'x', 1, properties=properties)
        eventually(lambda: len(client.messages) == 1)
        got = client.messages[0].properties
        equal((got.ContentType, got.ResponseTopic, got.CorrelationData, got.UserProperty),
              ('text/plain', 'answers', b'\x00\xff', [('a', '1'), ('a', '2')]))


@check('the client speaks MQTT inside a WebSocket')
def _():
    with Client('paho-web', transport='websockets') as client:
        topic = unique('web')
        client.subscribe(topic, 1)
        client.publish(topic, b'x' * 70000, 1)
        eventually(lambda: len(client.messages) == 1)
        equal(len(client.messages[0].payload), 70000)


@check('pika and paho talk to each other through amq.topic')
def _():
    key = unique('cross')
    connection = pika.BlockingConnection(pika.URLParameters(os.environ['BROKER_URL']))
    channel = connection.channel()
    queue = channel.queue_declare('', exclusive=True).method.queue
    channel.queue_bind(queue, 'amq.topic', key + '.to.amqp')
    with Client() as client:
        client.subscribe(key.replace('.', '/') + '/to/mqtt', 1)
        channel.basic_publish('amq.topic', key + '.to.mqtt', b'from pika', pika.BasicProperties(delivery_mode=2))
        eventually(lambda: client.payloads() == [b'from pika'])
        client.publish(key.replace('.', '/') + '/to/amqp', b'from paho', 1)

        def got():
            _method, properties, body = channel.basic_get(queue, True)
            return body is not None and (body, properties.delivery_mode)
        equal(eventually(got), (b'from paho', 2))
    connection.close()


main()
