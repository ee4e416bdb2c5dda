<?php
// Connections through php-amqplib: mechanisms, refusal, heartbeats, channels.

require __DIR__ . '/session.php';

use PhpAmqpLib\Connection\AMQPLazyConnection;
use PhpAmqpLib\Connection\AMQPSocketConnection;
use PhpAmqpLib\Exception\AMQPConnectionClosedException;

function echoes($connection): void
{
    $channel = $connection->channel();
    $queue = own_queue($channel);
    publish($channel, $queue, 'echo');
    equal(get_one($channel, $queue)->body, 'echo');
    $channel->close();
}

check('AMQPLAIN and PLAIN both log in', function () {
    foreach (['AMQPLAIN', 'PLAIN'] as $mechanism) {
        with_channel(fn ($_channel, $connection) => echoes($connection), ['mechanism' => $mechanism]);
    }
});

check('the server properties say who it is', function () {
    with_channel(function ($_channel, $connection) {
        equal($connection->getServerProperties()['product'][1], 'RabbitMQ');
        $capabilities = $connection->getServerProperties()['capabilities'][1];
        equal([(bool) $capabilities['publisher_confirms'][1], (bool) $capabilities['consumer_cancel_notify'][1]], [true, true]);
    });
});

check('a wrong password and an unknown virtual host are refused', function () {
    foreach ([[['password' => 'wrong'], 'ACCESS_REFUSED - Login was refused using authentication mechanism AMQPLAIN. For details see the broker logfile.'],
        [['vhost' => 'nowhere'], 'NOT_ALLOWED - vhost nowhere not found']] as [$options, $text]) {
        try {
            connect($options);
        } catch (AMQPConnectionClosedException $error) {
            equal(str_contains($error->getMessage(), $text) ?: $error->getMessage(), true);
            continue;
        }
        throw new RuntimeException('it was let in');
    }
});

check('connections of every class work', function () {
    foreach ([AMQPSocketConnection::class, AMQPLazyConnection::class] as $class) {
        $connection = new $class(ADDRESS['host'], ADDRESS['port'], 'guest', 'guest');
        echoes($connection);
        $connection->close();
    }
});

check('a hundred channels are opened, used and closed', function () {
    with_channel(function ($channel, $connection) {
        $queue = own_queue($channel);
        $channels = array_map(fn () => $connection->channel(), range(1, 100));
        foreach ($channels as $one) {
            publish($one, $queue, 'x');
        }
        await_count($channel, $queue, 100);
        foreach ($channels as $one) {
            $one->close();
        }
        echoes($connection);
    });
});

check('heartbeats keep an idle connection alive', function () {
    with_channel(function ($channel, $connection) {
        $began = microtime(true);
        // idleness itself is what is checked: more than two intervals must pass
        eventually(function () use ($channel, $connection, $began) {
            try {
                $channel->wait(null, false, 0.2);
            } catch (PhpAmqpLib\Exception\AMQPTimeoutException $nothing) {
            }
            $connection->checkHeartBeat();
            return microtime(true) - $began > 3.5;
        });
        echoes($connection);
    }, ['heartbeat' => 1, 'timeout' => 3.0]);
});

check('access.request is answered, as old programs still send it', function () {
    with_channel(function ($channel, $connection) {
        equal($channel->access_request('/data', false, false, true, true, true), 1);
        echoes($connection);
    });
});

check('handlers for a blocked connection can be registered', function () {
    with_channel(function ($_channel, $connection) {
        $connection->set_connection_block_handler(fn () => null);
        $connection->set_connection_unblock_handler(fn () => null);
        equal($connection->isBlocked(), false);
        echoes($connection);
    });
});

run_checks();
