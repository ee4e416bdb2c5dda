"""Clients of the broker under test, and what they receive."""

import os
import sys
import threading

import paho.mqtt.client as mqtt

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))

PORT = int(os.environ['MQTT_PORT'])
WEB_PORT = int(os.environ['MQTT_WEB_PORT'])


class Client:
    """A paho client with its loop in a thread; what comes is in `messages`."""

    def __init__(self, client_id='', version=mqtt.MQTTv311, clean=True, user='guest', will=None, transport='tcp', properties=None):
        kind = {'clean_session': clean} if version != mqtt.MQTTv5 else {}
        self.messages = []
        self.connected = threading.Event()
        self.disconnected = threading.Event()
        self.code = None
        self.session_present = None
        self.subscribed = threading.Event()
        self.granted = None
        self.paho = mqtt.Client(client_id, protocol=version, transport=transport, **kind)
        if user is not None:
            self.paho.username_pw_set(user, 'guest')
        if will is not None:
            self.paho.will_set(*will)
        self.paho.on_connect = self._on_connect
        self.paho.on_disconnect = lambda *_: self.disconnected.set()
        self.paho.on_message = lambda _c, _u, message: self.messages.append(message)
        self.paho.on_subscribe = self._on_subscribe
        more = {'clean_start': clean, 'properties': properties} if version == mqtt.MQTTv5 else {}
        if transport == 'websockets':
            self.paho.ws_set_options('/ws')
        self.paho.connect('127.0.0.1', WEB_PORT if transport == 'websockets' else PORT, 60, **more)
        self.paho.loop_start()
        assert self.connected.wait(10), 'no CONNACK'

    def _on_connect(self, _client, _userdata, flags, code, *_more):
        self.code = code if isinstance(code, int) else code.value
        self.session_present = flags['session present']
        self.connected.set()

    def _on_subscribe(self, _client, _userdata, _mid, granted, *_more):
        self.granted = [code if isinstance(code, int) else code.value for code in granted]
        self.subscribed.set()

    def subscribe(self, *args, **kwargs):
        self.subscribed.clear()
        self.paho.subscribe(*args, **kwargs)
        assert self.subscribed.wait(10), 'no SUBACK'
        return self.granted

    def publish(self, *args, **kwargs):
        info = self.paho.publish(*args, **kwargs)
        info.wait_for_publish(10)
        assert info.is_published(), 'not acknowledged'

    def payloads(self):
        return [message.payload for message in self.messages]

    def end(self):
        self.paho.disconnect()
        self.paho.loop_stop()

    def cut(self):
        """Ends the connection without a word."""
        self.paho.loop_stop()
        self.paho._sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()
