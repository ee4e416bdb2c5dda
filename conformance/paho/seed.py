"""The program that people start with: a producer and a consumer on the topic /data, without a user name, keep-alive 60."""

import os
import subprocess
import sys
import textwrap

from session import PORT
from checks import check, equal, main

CONSUMER = textwrap.dedent('''
    import sys
    import paho.mqtt.client as mqtt

    def on_connect(client, userdata, flags, rc):
        print("Connected with result code " + str(rc), flush=True)
        client.subscribe("/data")

    def on_message(client, userdata, msg):
        print(msg.topic + " " + str(msg.payload), flush=True)

    client = mqtt.Client()
    client.on_connect = on_connect
    client.on_message = on_message
    client.on_subscribe = lambda *_: print("subscribed", flush=True)
    client.connect("127.0.0.1", int(sys.argv[1]), 60)
    client.loop_forever()
''')

PRODUCER = textwrap.dedent('''
    import sys
    import paho.mqtt.client as mqtt

    client = mqtt.Client("producer")
    client.connect("127.0.0.1", int(sys.argv[1]), 60)
    for number in range(3):
        client.publish("/data", "message %d" % number)
    client.disconnect()
''')


@check('what the producer publishes on /data, the consumer prints')
def _():
    consumer = subprocess.Popen([sys.executable, '-c', CONSUMER, str(PORT)], stdout=subprocess.PIPE, text=True)
    try:
        equal(consumer.stdout.readline(), 'Connected with result code 0\n')
        equal(consumer.stdout.readline(), 'subscribed\n')
        subprocess.run([sys.executable, '-c', PRODUCER, str(PORT)], check=True, timeout=20)
        equal([consumer.stdout.readline() for _ in range(3)], ["/data b'message %d'\n" % number for number in range(3)])
    finally:
        consumer.kill()
        consumer.wait()


main()
