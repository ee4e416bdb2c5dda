<?php
// Connections, channels and queues for the php-amqplib checks.

require_once 'PhpAmqpLib/autoload.php';
require_once __DIR__ . '/../support/checks.php';

use PhpAmqpLib\Connection\AMQPStreamConnection;
use PhpAmqpLib\Exception\AMQPProtocolChannelException;
use PhpAmqpLib\Message\AMQPMessage;

define('ADDRESS', parse_url(getenv('BROKER_URL') ?: 'amqp://guest:guest@127.0.0.1:5672'));

function connect(array $options = []): AMQPStreamConnection
{
    $options += ['user' => 'guest', 'password' => 'guest', 'vhost' => '/', 'heartbeat' => 0, 'mechanism' => 'AMQPLAIN', 'timeout' => 10.0];
    return new AMQPStreamConnection(
        ADDRESS['host'], ADDRESS['port'] ?? 5672, $options['user'], $options['password'], $options['vhost'], false, $options['mechanism'], null, 'en_US',
        $options['timeout'], $options['timeout'], null, false, $options['heartbeat']
    );
}

function with_channel(callable $action, array $options = []): void
{
    $connection = connect($options);
    try {
        $action($connection->channel(), $connection);
    } finally {
        if ($connection->isConnected()) {
            $connection->close();
        }
    }
}

/** A server-named exclusive queue, gone with its connection. */
function own_queue($channel, array $arguments = []): string
{
    return $channel->queue_declare('', false, false, true, false, false, new PhpAmqpLib\Wire\AMQPTable($arguments))[0];
}

function publish($channel, string $queue, string $body, array $properties = []): void
{
    $channel->basic_publish(new AMQPMessage($body, $properties), '', $queue);
}

function get_one($channel, string $queue, bool $no_ack = true): AMQPMessage
{
    return eventually(fn () => $channel->basic_get($queue, $no_ack), "a message in $queue");
}

function message_count($channel, string $queue): int
{
    return $channel->queue_declare($queue, true)[1];
}

function await_count($channel, string $queue, int $expected): void
{
    eventually(fn () => message_count($channel, $queue) === $expected, "$expected messages in $queue");
}

/** Handles incoming frames until the condition holds. */
function wait_until($channel, callable $condition, string $what): void
{
    eventually(function () use ($channel, $condition) {
        try {
            $channel->wait(null, false, 0.05);
        } catch (PhpAmqpLib\Exception\AMQPTimeoutException $nothing) {
        }
        return $condition();
    }, $what);
}

/** The action must fail because the broker closed the channel with this code and exactly this text. */
function closes_channel(int $code, string $text, callable $action): void
{
    with_channel(function ($channel) use ($code, $text, $action) {
        try {
            $action($channel);
        } catch (AMQPProtocolChannelException $error) {
            equal([$error->amqp_reply_code, $error->amqp_reply_text], [$code, $text]);
            return;
        }
        throw new RuntimeException("the channel was not closed; expected $code $text");
    });
}
