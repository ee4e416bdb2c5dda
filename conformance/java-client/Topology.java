// Exchanges, queues and bindings through the Java client, and the exact texts of refusals.
import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.BuiltinExchangeType;
import com.rabbitmq.client.Channel;
import java.util.Map;

final class Topology {
  private static String bound(Channel channel, String exchange, String key, Map<String, Object> arguments) throws Exception {
    String queue = Checks.ownQueue(channel);
    channel.queueBind(queue, exchange, key, arguments);
    return queue;
  }

  public static void main(String[] arguments) {
    Checks.check("every exchange type routes as it should", () -> Checks.withChannel(channel -> {
      for (BuiltinExchangeType type : BuiltinExchangeType.values()) {
        String exchange = Checks.unique("exchange");
        channel.exchangeDeclare(exchange, type, false, true, null);
        String yes = bound(channel, exchange, type == BuiltinExchangeType.TOPIC ? "a.*.#" : "a.b.c", Map.of("x-match", "any", "kind", "yes", "n", 1));
        String no = bound(channel, exchange, "other", Map.of("x-match", "all", "kind", "no"));
        AMQP.BasicProperties properties = new AMQP.BasicProperties.Builder().headers(Map.of("kind", "yes")).build();
        channel.basicPublish(exchange, "a.b.c", properties, Checks.bytes(type.getType()));
        Checks.equal(Checks.text(Checks.getOne(channel, yes).getBody()), type.getType());
        Checks.equal(channel.messageCount(no), type == BuiltinExchangeType.FANOUT ? 1L : 0L);
      }
    }));

    Checks.check("exchanges are bound to exchanges and unbound", () -> Checks.withChannel(channel -> {
      String first = Checks.unique("first");
      String second = Checks.unique("second");
      channel.exchangeDeclare(first, "topic", false, true, null);
      channel.exchangeDeclare(second, "fanout", false, true, null);
      channel.exchangeBind(second, first, "k.#");
      String queue = bound(channel, second, "", null);
      channel.basicPublish(first, "k.1", null, Checks.bytes("through"));
      Checks.equal(Checks.text(Checks.getOne(channel, queue).getBody()), "through");
      channel.exchangeUnbind(second, first, "k.#");
      channel.queueUnbind(queue, second, "");
    }));

    Checks.check("declarations without an answer take effect in order", () -> Checks.withChannel(channel -> {
      String exchange = Checks.unique("nowait");
      String queue = Checks.unique("nowait");
      channel.exchangeDeclareNoWait(exchange, "fanout", false, true, false, null);
      channel.queueDeclareNoWait(queue, false, true, true, null);
      channel.queueBindNoWait(queue, exchange, "", null);
      channel.basicPublish(exchange, "", null, Checks.bytes("x"));
      Checks.equal(Checks.text(Checks.getOne(channel, queue).getBody()), "x");
      channel.queueDeleteNoWait(queue, false, false);
      channel.exchangeDeleteNoWait(exchange, false);
    }));

    Checks.check("an equal declaration is welcome, a different one is told what differs", () -> {
      String queue = Checks.unique("redeclared");
      Checks.withChannel(channel -> {
        channel.queueDeclare(queue, true, false, false, Map.of("x-message-ttl", 60_000));
        channel.queueDeclare(queue, true, false, false, Map.of("x-message-ttl", 60_000L));
      });
      Checks.closesChannel(406, "PRECONDITION_FAILED - inequivalent arg 'durable' for queue '" + queue + "' in vhost '/': received 'false' but current is 'true'",
          channel -> channel.queueDeclare(queue, false, false, false, Map.of("x-message-ttl", 60_000)));
      Checks.closesChannel(406, "PRECONDITION_FAILED - inequivalent arg 'x-message-ttl' for queue '" + queue + "' in vhost '/': received '5' but current is '60000'",
          channel -> channel.queueDeclare(queue, true, false, false, Map.of("x-message-ttl", 5)));
      Checks.withChannel(channel -> channel.queueDelete(queue));
    });

    Checks.check("what is not there is told with its name", () -> {
      Checks.closesChannel(404, "NOT_FOUND - no queue 'nope' in vhost '/'", channel -> channel.queueDeclarePassive("nope"));
      Checks.closesChannel(404, "NOT_FOUND - no exchange 'nox' in vhost '/'", channel -> channel.exchangeDeclarePassive("nox"));
      Checks.closesChannel(404, "NOT_FOUND - no exchange 'nox' in vhost '/'", channel -> channel.basicPublish("nox", "", null, new byte[0]));
    });

    Checks.check("what is not allowed is told why", () -> {
      Checks.closesChannel(403, "ACCESS_REFUSED - queue name 'amq.foo' contains reserved prefix 'amq.*'", channel -> channel.queueDeclare("amq.foo", false, false, false, null));
      Checks.closesChannel(406, "PRECONDITION_FAILED - unknown delivery tag 99", channel -> channel.basicAck(99, false));
      Checks.closesChannel(406, "PRECONDITION_FAILED - cannot switch from tx to confirm mode", channel -> {
        channel.txSelect();
        channel.confirmSelect();
      });
    });

    Checks.check("an exclusive queue is another connection's", () -> Checks.withChannel(channel -> {
      String queue = Checks.ownQueue(channel);
      Checks.closesChannel(405, "RESOURCE_LOCKED - cannot obtain exclusive access to locked queue '" + queue + "' in vhost '/'. It could be originally declared on "
          + "another connection or the exclusive property value does not match that of the original declaration.", other -> other.queueDeclarePassive(queue));
    }));

    Checks.check("purging and deleting count messages", () -> Checks.withChannel(channel -> {
      String queue = Checks.unique("counted");
      channel.queueDeclare(queue, false, false, false, null);
      channel.basicPublish("", queue, null, new byte[1]);
      channel.basicPublish("", queue, null, new byte[1]);
      Checks.equal(channel.queuePurge(queue).getMessageCount(), 2);
      channel.basicPublish("", queue, null, new byte[1]);
      Checks.equal(channel.queueDelete(queue).getMessageCount(), 1);
      Checks.equal(channel.queueDelete(queue).getMessageCount(), 0);
    }));

    Checks.run(arguments);
  }
}
