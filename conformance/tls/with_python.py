"""amqps with pika, py-amqp and kombu."""

import os
import ssl
import sys
from urllib.parse import urlparse

import amqp
import kombu
import pika
import pika.credentials

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))

from checks import check, equal, eventually, main, unique  # noqa: E402

URL = urlparse(os.environ['BROKER_TLS_URL'])
FILES = os.environ['CERTIFICATES']
BODY = os.urandom(300_000)


def file(name):
    return os.path.join(FILES, name)


def context(authority='authority.pem', with_client=False):
    result = ssl.create_default_context(cafile=file(authority))
    if with_client:
        result.load_cert_chain(file('client.pem'), file('client.key'))
    return result


def pika_connection(tls, credentials=None):
    return pika.BlockingConnection(pika.ConnectionParameters(URL.hostname, URL.port, '/', credentials or pika.PlainCredentials('guest', 'guest'),
                                                             ssl_options=pika.SSLOptions(tls, 'localhost')))


def echo(connection):
    ch = connection.channel()
    queue = ch.queue_declare('', exclusive=True).method.queue
    ch.basic_publish('', queue, BODY)
    body = eventually(lambda: ch.basic_get(queue, auto_ack=True)[2], lambda: connection.sleep(0.02))
    connection.close()
    assert body == BODY


@check('pika connects and verifies the broker')
def _():
    echo(pika_connection(context()))


@check('pika connects by URL')
def _():
    parameters = pika.URLParameters(os.environ['BROKER_TLS_URL'])
    parameters.ssl_options = pika.SSLOptions(context())
    echo(pika.BlockingConnection(parameters))


@check('pika refuses a broker whose certificate it cannot verify')
def _():
    try:
        pika_connection(context('stranger.pem'))
    except ssl.SSLCertVerificationError:
        return
    raise AssertionError('it connected')


@check('pika shows a client certificate')
def _():
    echo(pika_connection(context(with_client=True)))


@check('pika logs in with nothing but its certificate (EXTERNAL)')
def _():
    connection = pika_connection(context(with_client=True), pika.credentials.ExternalCredentials())
    ch = connection.channel()
    queue = ch.queue_declare('', exclusive=True).method.queue
    # the broker knows who it is
    ch.basic_publish('', queue, b'x', pika.BasicProperties(user_id='machine'))
    eventually(lambda: ch.basic_get(queue, auto_ack=True)[2], lambda: connection.sleep(0.02))
    connection.close()


@check('EXTERNAL without a certificate is refused')
def _():
    try:
        pika_connection(context(), pika.credentials.ExternalCredentials())
    except (pika.exceptions.ProbableAuthenticationError, pika.exceptions.AuthenticationError):
        return
    raise AssertionError('it connected')


@check('TLS 1.2 and TLS 1.3 are spoken')
def _():
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        tls = context()
        tls.minimum_version = tls.maximum_version = version
        echo(pika_connection(tls))


def py_amqp_echo(options, **login):
    options = {'ca_certs': file('authority.pem'), 'cert_reqs': ssl.CERT_REQUIRED, 'server_hostname': 'localhost', **options}
    conn = amqp.Connection('%s:%d' % (URL.hostname, URL.port), ssl=options, **login)
    conn.connect()
    ch = conn.channel()
    queue = ch.queue_declare('', exclusive=True).queue
    ch.basic_publish(amqp.Message(BODY), '', queue)
    equal(len(eventually(lambda: ch.basic_get(queue, no_ack=True)).body), len(BODY))
    conn.close()


@check('py-amqp connects with a password')
def _():
    py_amqp_echo({}, login_method='PLAIN')


@check('py-amqp chooses EXTERNAL of what the broker offers')
def _():
    py_amqp_echo({'keyfile': file('client.key'), 'certfile': file('client.pem')})


@check('kombu connects with the options Celery hands on')
def _():
    options = {'ca_certs': file('authority.pem'), 'cert_reqs': ssl.CERT_REQUIRED, 'keyfile': file('client.key'), 'certfile': file('client.pem')}
    with kombu.Connection('amqps://guest:guest@%s:%d//' % (URL.hostname, URL.port), ssl=options) as conn:
        queue = conn.SimpleQueue(unique('tls'), queue_opts={'durable': False, 'auto_delete': True})
        queue.put('over TLS')
        message = queue.get(timeout=5)
        message.ack()
        equal(message.payload, 'over TLS')
        queue.close()
        conn.default_channel.exchange_delete(queue.queue.name)


main()
