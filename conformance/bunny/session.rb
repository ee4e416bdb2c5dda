# Connections, channels and queues for the Bunny checks.

require 'bunny'
require 'logger'
require_relative '../support/checks'

URL = ENV.fetch('BROKER_URL', 'amqp://guest:guest@127.0.0.1:5672')

def with_connection(**options)
  connection = Bunny.new(URL, { logger: Logger.new(File::NULL), automatically_recover: false, continuation_timeout: 10_000, **options })
  connection.start
  yield connection
ensure
  connection.close if connection&.open?
end

def with_channel(**options)
  with_connection(**options) { |connection| yield connection.create_channel, connection }
end

# A queue that other connections can use, deleted at the end.
def with_shared_queue(label, **options)
  name = unique(label)
  with_channel { |ch| ch.queue(name, **options) }
  yield name
ensure
  with_channel { |ch| ch.queue_delete(name) }
end

def get_one(queue, **options)
  eventually("a message in #{queue.name}") do
    info, properties, body = queue.pop(**options)
    info && [info, properties, body]
  end
end

def await_count(queue, expected)
  eventually("#{expected} messages in #{queue.name}") { queue.message_count == expected }
end

# The block must fail because the broker closed the channel: the error's class and exactly its text.
def closes_channel(kind, text)
  with_channel do |channel, connection|
    yield channel, connection
  rescue kind => error
    equal(error.message, text)
    return
  end
  raise "no #{kind}"
end
