import pika


def test_a_message_arrives(amqp_url):
    connection = pika.BlockingConnection(pika.URLParameters(amqp_url))
    channel = connection.channel()
    queue = channel.queue_declare("", exclusive=True).method.queue
    channel.confirm_delivery()
    channel.basic_publish("", queue, b"hello", mandatory=True)
    method, _, body = channel.basic_get(queue, auto_ack=True)
    assert body == b"hello"
    assert not method.redelivered
    connection.close()
