// Named checks, reported as TAP lines (see support/tap.ts), and what the Java programs share.
import com.rabbitmq.client.AlreadyClosedException;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.GetResponse;
import com.rabbitmq.client.Method;
import com.rabbitmq.client.ShutdownSignalException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

final class Checks {
  interface Action { void run() throws Exception; }
  interface ChannelAction { void run(Channel channel) throws Exception; }
  private record Check(String name, Action action) {}

  private static final int CHECK_SECONDS_MAX = 30;
  private static final List<Check> checks = new ArrayList<>();

  static void check(String name, Action action) { checks.add(new Check(name, action)); }

  /** Runs every check, or those whose name contains the first argument, and ends the process. */
  static void run(String[] arguments) {
    String wanted = arguments.length > 0 ? arguments[0] : "";
    List<Check> selected = checks.stream().filter(one -> one.name.contains(wanted)).toList();
    ExecutorService runner = Executors.newCachedThreadPool();
    int failed = 0;
    System.out.println("1.." + selected.size());
    for (int index = 0; index < selected.size(); index += 1) {
      Check one = selected.get(index);
      System.out.println("# begin " + one.name);
      try {
        runner.submit(() -> { one.action.run(); return null; }).get(CHECK_SECONDS_MAX, TimeUnit.SECONDS);
        System.out.println("ok " + (index + 1) + " - " + one.name);
      } catch (Throwable error) {
        failed += 1;
        System.out.println("not ok " + (index + 1) + " - " + one.name);
        StringWriter text = new StringWriter();
        error.printStackTrace(new PrintWriter(text, true));
        text.toString().lines().forEach(line -> System.out.println("# " + line));
      }
    }
    System.exit(failed == 0 ? 0 : 1);
  }

  static void equal(Object actual, Object expected) {
    if (!Objects.equals(actual, expected)) throw new AssertionError("got " + actual + ", expected " + expected);
  }

  /** A name that no other run uses, so that runs can share a broker. */
  static String unique(String label) { return "conformance." + label + "." + UUID.randomUUID(); }

  /** Polls until the condition gives a value, which is returned. */
  static <T> T eventually(String what, Callable<T> condition) throws Exception {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    while (true) {
      T value = condition.call();
      if (value != null && !Boolean.FALSE.equals(value)) return value;
      if (System.nanoTime() > deadline) throw new AssertionError("waited 10 s for " + what);
      Thread.sleep(10);
    }
  }

  static ConnectionFactory factory() throws Exception {
    ConnectionFactory factory = new ConnectionFactory();
    String url = System.getenv("BROKER_URL");
    factory.setUri(url == null ? "amqp://guest:guest@127.0.0.1:5672" : url);
    factory.setAutomaticRecoveryEnabled(false);
    return factory;
  }

  static void withChannel(ChannelAction action) throws Exception { withChannel(factory(), action); }

  static void withChannel(ConnectionFactory factory, ChannelAction action) throws Exception {
    Connection connection = factory.newConnection();
    try {
      action.run(connection.createChannel());
    } finally {
      if (connection.isOpen()) connection.close();
    }
  }

  static byte[] bytes(String text) { return text.getBytes(StandardCharsets.UTF_8); }

  static String text(byte[] body) { return new String(body, StandardCharsets.UTF_8); }

  static String ownQueue(Channel channel) throws Exception { return channel.queueDeclare().getQueue(); }

  static GetResponse getOne(Channel channel, String queue) throws Exception {
    return eventually("a message in " + queue, () -> channel.basicGet(queue, true));
  }

  static void awaitCount(Channel channel, String queue, long expected) throws Exception {
    eventually(expected + " messages in " + queue, () -> channel.messageCount(queue) == expected);
  }

  /** The action must fail because the broker closed the channel with this code and exactly this text. */
  static void closesChannel(int code, String text, ChannelAction action) throws Exception {
    withChannel(channel -> {
      try {
        action.run(channel);
        eventually("the end of the channel", () -> !channel.isOpen());
      } catch (AlreadyClosedException | java.io.IOException ignored) {
        // told by the channel itself, below
      }
      ShutdownSignalException reason = eventually("a reason", channel::getCloseReason);
      Method method = (Method) reason.getReason();
      equal(method instanceof com.rabbitmq.client.AMQP.Channel.Close, true);
      com.rabbitmq.client.AMQP.Channel.Close close = (com.rabbitmq.client.AMQP.Channel.Close) method;
      equal(close.getReplyCode() + " " + close.getReplyText(), code + " " + text);
    });
  }
}
