// Connections through the Java client: negotiation, refusals, heartbeats, non-blocking sockets, recovery.
import com.rabbitmq.client.AuthenticationFailureException;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.DefaultConsumer;
import com.rabbitmq.client.Recoverable;
import com.rabbitmq.client.RecoveryListener;
import com.rabbitmq.client.impl.nio.NioParams;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

final class Connecting {
  /** A TCP relay in front of the broker, so that a check can cut the client's connections. */
  private static final class Relay {
    private final ServerSocket server = new ServerSocket(0);
    private final List<Socket> sockets = new CopyOnWriteArrayList<>();

    Relay(String host, int port) throws IOException {
      start(() -> {
        while (true) {
          Socket client = server.accept();
          Socket broker = new Socket(host, port);
          sockets.addAll(List.of(client, broker));
          start(() -> client.getInputStream().transferTo(broker.getOutputStream()));
          start(() -> broker.getInputStream().transferTo(client.getOutputStream()));
        }
      });
    }

    void cut() throws IOException {
      for (Socket socket : sockets) socket.close();
      sockets.clear();
    }

    private static void start(Checks.Action action) {
      Thread thread = new Thread(() -> {
        try {
          action.run();
        } catch (Exception end) {
          // a socket was closed
        }
      });
      thread.setDaemon(true);
      thread.start();
    }
  }

  private static void echo(Channel channel) throws Exception {
    String queue = Checks.ownQueue(channel);
    channel.basicPublish("", queue, null, Checks.bytes("echo"));
    Checks.equal(Checks.text(Checks.getOne(channel, queue).getBody()), "echo");
  }

  public static void main(String[] arguments) {
    Checks.check("the server says who it is, what it can do and its limits", () -> Checks.withChannel(channel -> {
      Connection connection = channel.getConnection();
      Checks.equal(connection.getServerProperties().get("product").toString(), "RabbitMQ");
      Map<?, ?> can = (Map<?, ?>) connection.getServerProperties().get("capabilities");
      for (String capability : List.of("publisher_confirms", "basic.nack", "consumer_cancel_notify", "connection.blocked")) Checks.equal(can.get(capability), true);
      Checks.equal(List.of(connection.getChannelMax(), connection.getFrameMax(), connection.getHeartbeat()), List.of(2047, 131_072, 60));
    }));

    Checks.check("a wrong password is refused with RabbitMQ's text", () -> {
      ConnectionFactory factory = Checks.factory();
      factory.setPassword("wrong");
      try {
        factory.newConnection();
      } catch (AuthenticationFailureException refused) {
        Checks.equal(refused.getMessage(), "ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN. For details see the broker logfile.");
        return;
      }
      throw new AssertionError("it was let in");
    });

    Checks.check("an unknown virtual host is refused with its name", () -> {
      ConnectionFactory factory = Checks.factory();
      factory.setVirtualHost("nope");
      try {
        factory.newConnection();
      } catch (IOException refused) {
        Checks.equal(refused.getCause().getMessage().contains("reply-code=530, reply-text=NOT_ALLOWED - vhost nope not found, class-id=10, method-id=40"), true);
        return;
      }
      throw new AssertionError("it was let in");
    });

    Checks.check("non-blocking sockets work as well", () -> {
      ConnectionFactory factory = Checks.factory();
      factory.useNio();
      factory.setNioParams(new NioParams().setNbIoThreads(2));
      Checks.withChannel(factory, Connecting::echo);
    });

    Checks.check("a negotiated smaller frame carries a large body in pieces", () -> {
      ConnectionFactory factory = Checks.factory();
      factory.setRequestedFrameMax(8192);
      Checks.withChannel(factory, channel -> {
        Checks.equal(channel.getConnection().getFrameMax(), 8192);
        String queue = Checks.ownQueue(channel);
        channel.basicPublish("", queue, null, new byte[300_000]);
        Checks.equal(Checks.getOne(channel, queue).getBody().length, 300_000);
      });
    });

    Checks.check("two hundred channels of one connection work side by side", () -> Checks.withChannel(channel -> {
      String queue = Checks.ownQueue(channel);
      for (int index = 0; index < 200; index += 1) channel.getConnection().createChannel().basicPublish("", queue, null, new byte[1]);
      Checks.awaitCount(channel, queue, 200);
    }));

    Checks.check("heartbeats keep an idle connection alive", () -> {
      ConnectionFactory factory = Checks.factory();
      factory.setRequestedHeartbeat(1);
      Checks.withChannel(factory, channel -> {
        Checks.equal(channel.getConnection().getHeartbeat(), 1);
        Thread.sleep(3500); // idleness itself is what is checked: more than two intervals must pass
        echo(channel);
      });
    });

    Checks.check("after a cut, connection, channels, queues, bindings and consumers recover", () -> {
      ConnectionFactory factory = Checks.factory();
      URI address = URI.create("amqp://" + factory.getHost() + ":" + factory.getPort());
      Relay relay = new Relay(address.getHost(), address.getPort());
      factory.setHost("127.0.0.1");
      factory.setPort(relay.server.getLocalPort());
      factory.setAutomaticRecoveryEnabled(true);
      factory.setNetworkRecoveryInterval(100);
      BlockingQueue<String> got = new LinkedBlockingQueue<>();
      BlockingQueue<Boolean> recovered = new LinkedBlockingQueue<>();
      try (Connection connection = factory.newConnection()) {
        Channel channel = connection.createChannel();
        ((Recoverable) connection).addRecoveryListener(new RecoveryListener() {
          @Override
          public void handleRecovery(Recoverable what) { recovered.add(true); }

          @Override
          public void handleRecoveryStarted(Recoverable what) {}
        });
        String exchange = Checks.unique("recovered");
        channel.exchangeDeclare(exchange, "topic", false, true, null);
        String queue = Checks.ownQueue(channel);
        channel.queueBind(queue, exchange, "k.#");
        channel.basicConsume(queue, true, new DefaultConsumer(channel) {
          @Override
          public void handleDelivery(String tag, com.rabbitmq.client.Envelope envelope, com.rabbitmq.client.AMQP.BasicProperties properties, byte[] body) {
            got.add(Checks.text(body));
          }
        });
        for (int round = 0; round < 3; round += 1) {
          if (round > 0) {
            relay.cut();
            Checks.equal(recovered.poll(10, TimeUnit.SECONDS), true);
          }
          channel.basicPublish(exchange, "k.1", null, Checks.bytes("round " + round));
          Checks.equal(got.poll(10, TimeUnit.SECONDS), "round " + round);
        }
      }
    });

    Checks.run(arguments);
  }
}
