// Messages through the Java client: bodies, properties, confirms, returns, consumers, acknowledgements, transactions, RPC.
import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.DefaultConsumer;
import com.rabbitmq.client.Delivery;
import com.rabbitmq.client.Envelope;
import com.rabbitmq.client.GetResponse;
import com.rabbitmq.client.MessageProperties;
import com.rabbitmq.client.RpcClient;
import com.rabbitmq.client.StringRpcServer;
import java.util.Arrays;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

final class Messaging {
  private static void publish(Channel channel, String queue, String body) throws Exception {
    channel.basicPublish("", queue, null, Checks.bytes(body));
  }

  /** Consumes from a queue into a list that can be waited for. */
  private static BlockingQueue<Delivery> deliveries(Channel channel, String queue, boolean isAutoAck) throws Exception {
    BlockingQueue<Delivery> got = new LinkedBlockingQueue<>();
    channel.basicConsume(queue, isAutoAck, new DefaultConsumer(channel) {
      @Override
      public void handleDelivery(String tag, Envelope envelope, AMQP.BasicProperties properties, byte[] body) {
        got.add(new Delivery(envelope, properties, body));
      }
    });
    return got;
  }

  private static Delivery next(BlockingQueue<Delivery> got) throws Exception {
    Delivery delivery = got.poll(10, TimeUnit.SECONDS);
    if (delivery == null) throw new AssertionError("waited 10 s for a delivery");
    return delivery;
  }

  public static void main(String[] arguments) {
    Checks.check("bodies of every size come back as they were sent", () -> Checks.withChannel(channel -> {
      String queue = Checks.ownQueue(channel);
      for (int size : new int[] {0, 1, 4096, 131_063, 131_064, 131_065, 1_000_000, 5_000_000}) {
        byte[] body = new byte[size];
        new Random(size).nextBytes(body);
        channel.basicPublish("", queue, null, body);
        Checks.equal(Arrays.equals(Checks.getOne(channel, queue).getBody(), body), true);
      }
    }));

    Checks.check("all properties and headers of every type come back", () -> Checks.withChannel(channel -> {
      String queue = Checks.ownQueue(channel);
      Map<String, Object> headers = Map.ofEntries(Map.entry("int", 1), Map.entry("long", 1L << 40), Map.entry("short", (short) 7), Map.entry("byte", (byte) 3),
          Map.entry("double", 1.5), Map.entry("float", 2.5f), Map.entry("flag", true), Map.entry("date", new Date(1_700_000_000_000L)),
          Map.entry("list", List.of(1, 2L)), Map.entry("table", Map.of("a", 1)), Map.entry("decimal", new java.math.BigDecimal("12.34")));
      AMQP.BasicProperties sent = new AMQP.BasicProperties.Builder().contentType("text/plain").contentEncoding("utf-8").headers(headers).deliveryMode(2)
          .priority(5).correlationId("c").replyTo("r").expiration("60000").messageId("m").timestamp(new Date(1_700_000_000_000L)).type("t").userId("guest")
          .appId("a").clusterId("cluster").build();
      channel.basicPublish("", queue, sent, Checks.bytes("x"));
      AMQP.BasicProperties got = Checks.getOne(channel, queue).getProps();
      Checks.equal(got.getHeaders(), headers);
      Checks.equal(got.toString().replaceFirst("headers=.*}", ""), sent.toString().replaceFirst("headers=.*}", ""));
    }));

    Checks.check("confirms of a thousand persistent messages arrive", () -> Checks.withChannel(channel -> {
      channel.confirmSelect();
      String queue = Checks.ownQueue(channel);
      for (int index = 0; index < 1000; index += 1) channel.basicPublish("", queue, MessageProperties.PERSISTENT_TEXT_PLAIN, Checks.bytes("m" + index));
      Checks.equal(channel.waitForConfirms(10_000), true);
      Checks.equal(channel.getNextPublishSeqNo(), 1001L);
      Checks.equal(channel.messageCount(queue), 1000L);
    }));

    Checks.check("a full queue that rejects gives a negative confirm", () -> Checks.withChannel(channel -> {
      channel.confirmSelect();
      String queue = channel.queueDeclare("", false, true, false, Map.of("x-max-length", 1, "x-overflow", "reject-publish")).getQueue();
      publish(channel, queue, "one");
      Checks.equal(channel.waitForConfirms(10_000), true);
      publish(channel, queue, "two");
      Checks.equal(channel.waitForConfirms(10_000), false);
    }));

    Checks.check("an unroutable mandatory message is returned before its confirm", () -> Checks.withChannel(channel -> {
      BlockingQueue<String> told = new ArrayBlockingQueue<>(4);
      channel.addReturnListener(back -> told.add(back.getReplyCode() + " " + back.getReplyText() + " " + Checks.text(back.getBody())));
      channel.addConfirmListener((tag, isMultiple) -> told.add("confirmed " + tag), (tag, isMultiple) -> told.add("refused " + tag));
      channel.confirmSelect();
      channel.basicPublish("", Checks.unique("nowhere"), true, null, Checks.bytes("lost"));
      Checks.equal(told.poll(10, TimeUnit.SECONDS), "312 NO_ROUTE lost");
      Checks.equal(told.poll(10, TimeUnit.SECONDS), "confirmed 1");
    }));

    Checks.check("a prefetch holds back what is not acknowledged", () -> Checks.withChannel(channel -> {
      String queue = Checks.ownQueue(channel);
      channel.basicQos(2);
      for (int index = 0; index < 5; index += 1) publish(channel, queue, "m" + index);
      BlockingQueue<Delivery> got = deliveries(channel, queue, false);
      next(got);
      Delivery second = next(got);
      Checks.awaitCount(channel, queue, 3);
      Checks.equal(got.size(), 0);
      channel.basicAck(second.getEnvelope().getDeliveryTag(), true);
      Checks.equal(Checks.text(next(got).getBody()), "m2");
      Checks.equal(Checks.text(next(got).getBody()), "m3");
    }));

    Checks.check("what is put back comes again, flagged, and what is rejected is dead-lettered", () -> Checks.withChannel(channel -> {
      String dead = Checks.ownQueue(channel);
      String queue = channel.queueDeclare("", false, true, false, Map.of("x-dead-letter-exchange", "", "x-dead-letter-routing-key", dead)).getQueue();
      publish(channel, queue, "again");
      GetResponse first = Checks.eventually("a message", () -> channel.basicGet(queue, false));
      channel.basicNack(first.getEnvelope().getDeliveryTag(), false, true);
      GetResponse second = Checks.eventually("it again", () -> channel.basicGet(queue, false));
      Checks.equal(second.getEnvelope().isRedeliver(), true);
      channel.basicReject(second.getEnvelope().getDeliveryTag(), false);
      Map<String, Object> headers = Checks.getOne(channel, dead).getProps().getHeaders();
      Map<?, ?> death = (Map<?, ?>) ((List<?>) headers.get("x-death")).get(0);
      Checks.equal(death.get("reason").toString(), "rejected");
      Checks.equal(death.get("queue").toString(), queue);
      Checks.equal(death.get("count"), 1L);
      Checks.equal(headers.get("x-first-death-queue").toString(), queue);
    }));

    Checks.check("a consumer is told when its queue is deleted", () -> Checks.withChannel(channel -> {
      String queue = Checks.ownQueue(channel);
      BlockingQueue<String> cancelled = new ArrayBlockingQueue<>(1);
      String tag = channel.basicConsume(queue, true, new DefaultConsumer(channel) {
        @Override
        public void handleCancel(String consumerTag) { cancelled.add(consumerTag); }
      });
      Checks.equal(tag.startsWith("amq.ctag-"), true);
      channel.queueDelete(queue);
      Checks.equal(cancelled.poll(10, TimeUnit.SECONDS), tag);
    }));

    Checks.check("a transaction is all or nothing", () -> Checks.withChannel(channel -> {
      String queue = Checks.ownQueue(channel);
      channel.txSelect();
      publish(channel, queue, "rolled back");
      channel.txRollback();
      publish(channel, queue, "committed");
      Checks.equal(channel.messageCount(queue), 0L);
      channel.txCommit();
      Checks.equal(Checks.text(Checks.getOne(channel, queue).getBody()), "committed");
      Checks.equal(channel.messageCount(queue), 0L);
    }));

    Checks.check("the client's RPC server and client talk, by direct reply-to", () -> Checks.withChannel(channel -> {
      Channel serving = channel.getConnection().createChannel();
      String queue = Checks.ownQueue(channel);
      StringRpcServer server = new StringRpcServer(serving, queue) {
        @Override
        public String handleStringCall(String request, AMQP.BasicProperties replyProperties) { return request.toUpperCase(); }
      };
      Thread loop = new Thread(() -> {
        try {
          server.mainloop();
        } catch (Exception end) {
          // the connection was closed
        }
      });
      loop.setDaemon(true);
      loop.start();
      RpcClient client = new RpcClient(channel, "", queue, 10_000);
      Checks.equal(client.stringCall("hello"), "HELLO");
      Checks.equal(client.stringCall("again"), "AGAIN");
    }));

    Checks.check("the highest priority comes first", () -> Checks.withChannel(channel -> {
      String queue = channel.queueDeclare("", false, true, false, Map.of("x-max-priority", 10)).getQueue();
      for (int priority : new int[] {1, 9, 5}) {
        channel.basicPublish("", queue, new AMQP.BasicProperties.Builder().priority(priority).build(), Checks.bytes("p" + priority));
      }
      Checks.awaitCount(channel, queue, 3);
      for (String expected : List.of("p9", "p5", "p1")) Checks.equal(Checks.text(Checks.getOne(channel, queue).getBody()), expected);
    }));

    Checks.run(arguments);
  }
}
