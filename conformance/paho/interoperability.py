"""What Eclipse Paho's interoperability tests ask of a broker, for 3.1.1 and 5, in our own words."""

import time

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from session import Client
from checks import check, equal, eventually, main, unique

VERSIONS = (mqtt.MQTTv311, mqtt.MQTTv5)


def connect_with(**values):
    properties = Properties(PacketTypes.CONNECT)
    for name, value in values.items():
        setattr(properties, name, value)
    return properties


def publish_with(**values):
    properties = Properties(PacketTypes.PUBLISH)
    for name, value in values.items():
        setattr(properties, name, value)
    return properties


@check('messages of all QoS go to the client itself, and come in the QoS of subscription and message, the lower')
def _():
    for version in VERSIONS:
        with Client(unique('basic'), version) as client:
            topic = unique('basic')
            for granted in (0, 1, 2):
                equal(client.subscribe('%s/%d' % (topic, granted), granted), [granted])
                for sent in (0, 1, 2):
                    client.publish('%s/%d' % (topic, granted), b'%d' % sent, sent)
            eventually(lambda: len(client.messages) == 9)
            equal(sorted((m.topic[-1], m.payload, m.qos) for m in client.messages),
                  sorted((str(g), b'%d' % s, min(g, s)) for g in (0, 1, 2) for s in (0, 1, 2)))


@check('an empty client id is for a clean session, and with MQTT 5 the broker gives one')
def _():
    with Client('', mqtt.MQTTv311) as client:
        equal((client.code, client.session_present), (0, 0))
    with Client('', mqtt.MQTTv5) as client:
        equal(client.code, 0)


@check('retained messages of every QoS, and their end')
def _():
    for version in VERSIONS:
        base = unique('kept')
        with Client(unique('p'), version) as publisher:
            for qos in (0, 1, 2):
                publisher.publish('%s/%d' % (base, qos), b'qos %d' % qos, qos, retain=True)
            with Client(unique('r'), version) as reader:
                reader.subscribe(base + '/+', 2)
                eventually(lambda: len(reader.messages) == 3)
                equal(sorted((m.payload, m.qos, m.retain) for m in reader.messages), [(b'qos %d' % q, q, True) for q in (0, 1, 2)])
            for qos in (0, 1, 2):
                publisher.publish('%s/%d' % (base, qos), b'', 1, retain=True)
            with Client(unique('r'), version) as reader:
                reader.subscribe(base + '/+', 2)
                publisher.publish(base + '/last', b'live', 1)
                eventually(lambda: len(reader.messages) == 1)
                equal((reader.messages[0].payload, reader.messages[0].retain), (b'live', False))


@check('overlapping subscriptions give a message once, in the highest QoS')
def _():
    for version in VERSIONS:
        base = unique('overlap')
        with Client(unique('c'), version) as client:
            client.subscribe(base + '/#', 2)
            client.subscribe(base + '/+', 1)
            client.publish(base + '/x', b'one', 2)
            client.publish(base + '/end', b'end', 2)
            eventually(lambda: b'end' in client.payloads())
            equal([(m.payload, m.qos) for m in client.messages], [(b'one', 2), (b'end', 2)])


@check('wildcards in front match no topic that begins with $')
def _():
    for version in VERSIONS:
        with Client(unique('c'), version) as client:
            name = unique('dollar')
            client.subscribe('+/' + name, 1)
            client.publish('$' + name + '/' + name, b'hidden', 1)
            client.publish('open/' + name, b'seen', 1)
            eventually(lambda: client.messages)
            equal(client.payloads(), [b'seen'])


@check('who has unsubscribed gets nothing more')
def _():
    for version in VERSIONS:
        with Client(unique('c'), version) as client:
            base = unique('unsubscribe')
            for name in 'abc':
                client.subscribe('%s/%s' % (base, name), 2)
            client.paho.unsubscribe(base + '/a')
            client.subscribe(base + '/end', 1)
            for name in ('a', 'b', 'c', 'end'):
                client.publish('%s/%s' % (base, name), name.encode(), 1)
            eventually(lambda: len(client.messages) == 3)
            equal(client.payloads(), [b'b', b'c', b'end'])


@check('what was not acknowledged comes again when the client is back')
def _():
    for version in VERSIONS:
        name = unique('again')
        lasting = {'clean': False}
        if version == mqtt.MQTTv5:
            lasting['properties'] = connect_with(SessionExpiryInterval=600)
        first = Client(name, version, **lasting)
        first.subscribe(name, 2)
        first.cut()
        with Client(unique('p'), version) as publisher:
            for qos in (1, 2):
                publisher.publish(name, b'%d' % qos, qos)
        with Client(name, version, **lasting) as second:
            equal(second.session_present, 1)
            eventually(lambda: len(second.messages) == 2)
            equal(sorted(second.payloads()), [b'1', b'2'])
        Client(name, version, clean=True).end()


@check('a session of MQTT 5 is there until its time is over, and not after')
def _():
    name = unique('expires')
    Client(name, mqtt.MQTTv5, clean=True, properties=connect_with(SessionExpiryInterval=600)).end()
    with Client(name, mqtt.MQTTv5, clean=False, properties=connect_with(SessionExpiryInterval=1)) as client:
        equal(client.session_present, 1)

    def is_gone():
        with Client(name, mqtt.MQTTv5, clean=False, properties=connect_with(SessionExpiryInterval=1)) as client:
            return client.session_present == 0

    eventually(is_gone, step=lambda: time.sleep(1.5))


@check('subscription options: No Local, Retain As Published, retain handling')
def _():
    base = unique('options')
    with Client(unique('c'), mqtt.MQTTv5) as client, Client(unique('o'), mqtt.MQTTv5) as other:
        client.subscribe(base + '/local', options=SubscribeOptions(qos=1, noLocal=True))
        client.publish(base + '/local', b'own', 1)
        other.publish(base + '/local', b'other', 1)
        eventually(lambda: client.messages)
        equal(client.payloads(), [b'other'])
        client.messages.clear()
        client.subscribe(base + '/kept', options=SubscribeOptions(qos=1, retainAsPublished=True))
        other.publish(base + '/kept', b'flag', 1, retain=True)
        eventually(lambda: client.messages)
        equal([m.retain for m in client.messages], [True])
        client.messages.clear()
        for handling, count in ((2, 0), (1, 0), (0, 1)):
            client.subscribe(base + '/kept', options=SubscribeOptions(qos=1, retainHandling=handling))
            other.publish(base + '/local', b'mark', 1)
            eventually(lambda: b'mark' in client.payloads())
            eventually(lambda: client.payloads().count(b'flag') == count)
            client.messages.clear()
        other.publish(base + '/kept', b'', 1, retain=True)


@check('a shared subscription gives each message to one member')
def _():
    base = unique('shared')
    with Client(unique('a'), mqtt.MQTTv5) as one, Client(unique('b'), mqtt.MQTTv5) as two, Client(unique('p'), mqtt.MQTTv5) as publisher:
        for member in (one, two):
            member.subscribe('$share/group/' + base + '/#', 2)
        for number in range(20):
            publisher.publish(base + '/x', b'%d' % number, 2)
        eventually(lambda: len(one.messages) + len(two.messages) == 20)
        equal(sorted(one.payloads() + two.payloads(), key=int), [b'%d' % n for n in range(20)])
        assert one.messages and two.messages, 'both have some'


@check('user properties, content type, payload format, response topic and correlation data come through')
def _():
    base = unique('properties')
    with Client(unique('c'), mqtt.MQTTv5) as client:
        client.subscribe(base, 1)
        properties = publish_with(ContentType='text/x', PayloadFormatIndicator=1, ResponseTopic=base + '/answer', CorrelationData=b'\x00\xff')
        properties.UserProperty = [('a', '1'), ('a', '2'), ('c', '3')]
        client.publish(base, b'x', 1, properties=properties)
        eventually(lambda: client.messages)
        got = client.messages[0].properties
        equal((got.ContentType, got.PayloadFormatIndicator, got.ResponseTopic, got.CorrelationData),
              ('text/x', 1, base + '/answer', b'\x00\xff'))
        equal(got.UserProperty, [('a', '1'), ('a', '2'), ('c', '3')])


@check('a message expires in the queue of a client that is away, and tells one that comes in time how long it has')
def _():
    name = unique('expiry')
    lasting = connect_with(SessionExpiryInterval=600)
    first = Client(name, mqtt.MQTTv5, clean=False, properties=lasting)
    first.subscribe(name, 1)
    first.end()
    with Client(unique('p'), mqtt.MQTTv5) as publisher:
        publisher.publish(name, b'short', 1, properties=publish_with(MessageExpiryInterval=1))
        publisher.publish(name, b'long', 1, properties=publish_with(MessageExpiryInterval=600))
    time.sleep(1.5)
    with Client(name, mqtt.MQTTv5, clean=False, properties=lasting) as second:
        eventually(lambda: second.messages)
        equal(second.payloads(), [b'long'])
        assert 590 <= second.messages[0].properties.MessageExpiryInterval < 600
    Client(name, mqtt.MQTTv5, clean=True).end()


@check('a delayed will comes late, and not when the client is back in time')
def _():
    topic = unique('will')
    with Client(unique('w'), mqtt.MQTTv5) as watcher:
        watcher.subscribe(topic, 1)
        name = unique('back')
        properties = Properties(PacketTypes.WILLMESSAGE)
        properties.WillDelayInterval = 2
        lost = Client(name, mqtt.MQTTv5, properties=connect_with(SessionExpiryInterval=600), will=(topic, b'lost', 1, False, properties))
        lost.cut()
        time.sleep(0.5)
        equal(watcher.payloads(), [])
        eventually(lambda: watcher.payloads() == [b'lost'])
        back = Client(name, mqtt.MQTTv5, clean=False, properties=connect_with(SessionExpiryInterval=600), will=(topic, b'never', 1, False, properties))
        back.cut()
        with Client(name, mqtt.MQTTv5, clean=False, properties=connect_with(SessionExpiryInterval=0)) as again:
            equal(again.session_present, 1)
            time.sleep(2.5)
            equal(watcher.payloads(), [b'lost'])


main()
