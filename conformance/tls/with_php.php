<?php
// amqps with php-amqplib.

require_once 'PhpAmqpLib/autoload.php';
require_once __DIR__ . '/../support/checks.php';

use PhpAmqpLib\Connection\AMQPSSLConnection;
use PhpAmqpLib\Message\AMQPMessage;

function file_named(string $name): string
{
    return getenv('CERTIFICATES') . "/$name";
}

function echo_with(array $tls, array $options = []): void
{
    $address = parse_url(getenv('BROKER_TLS_URL'));
    $tls += ['cafile' => file_named('authority.pem'), 'verify_peer' => true, 'verify_peer_name' => true, 'peer_name' => 'localhost'];
    $connection = new AMQPSSLConnection($address['host'], $address['port'], 'guest', 'guest', '/', $tls, $options);
    $channel = $connection->channel();
    $queue = $channel->queue_declare('', false, false, true)[0];
    $body = str_repeat('body', 50000);
    $channel->basic_publish(new AMQPMessage($body), '', $queue);
    equal(eventually(fn () => $channel->basic_get($queue, true))->body === $body, true, 'the body unchanged');
    $connection->close();
}

check('php-amqplib connects and verifies the broker', fn () => echo_with([]));
check('php-amqplib shows a client certificate', fn () => echo_with(['local_cert' => file_named('client.pem'), 'local_pk' => file_named('client.key')]));
check('php-amqplib refuses a broker whose certificate it cannot verify', function () {
    try {
        @echo_with(['cafile' => file_named('stranger.pem')]);
    } catch (PhpAmqpLib\Exception\AMQPIOException $refused) {
        return;
    }
    throw new RuntimeException('it connected');
});

run_checks();
