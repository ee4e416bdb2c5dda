# Connections through Bunny: opening, refusal, heartbeats, recovery.

require 'socket'
require 'uri'
require_relative 'session'

ADDRESS = URI(URL)

# A TCP relay in front of the broker, so that a check can cut the client's connections.
class Relay
  attr_reader :port

  def initialize
    @server = TCPServer.new('127.0.0.1', 0)
    @port = @server.addr[1]
    @sockets = []
    Thread.new { loop { join(@server.accept) } }
  end

  def cut
    taken, @sockets = @sockets, []
    taken.each(&:close)
  end

  private

  def join(client)
    broker = TCPSocket.new(ADDRESS.host, ADDRESS.port)
    @sockets.push(client, broker)
    [[client, broker], [broker, client]].each do |from, to|
      Thread.new do
        to.write(from.readpartial(65_536)) while true
      rescue IOError, SystemCallError
        [from, to].each { |socket| socket.close unless socket.closed? }
      end
    end
  end
end

def echo(connection)
  queue = connection.create_channel.temporary_queue
  queue.publish('echo')
  equal get_one(queue)[2], 'echo'
end

check 'the server properties say who it is and what it can do' do
  with_connection do |connection|
    equal connection.server_properties['product'], 'RabbitMQ'
    equal connection.server_capabilities.values_at('publisher_confirms', 'basic.nack', 'consumer_cancel_notify', 'connection.blocked'), [true] * 4
    equal [connection.heartbeat, connection.frame_max, connection.channel_max], [60, 131_072, 2047]
  end
end

check 'a connection is described by options as well' do
  connection = Bunny.new(host: ADDRESS.host, port: ADDRESS.port, user: 'guest', password: 'guest', vhost: '/', connection_name: 'conformance of Bunny')
  connection.start
  echo(connection)
  connection.close
  equal connection.closed?, true
end

check 'a wrong password is refused' do
  with_connection(password: 'wrong') { raise 'it was let in' }
rescue Bunny::AuthenticationFailureError, Bunny::PossibleAuthenticationFailureError => error
  equal error.class, Bunny::AuthenticationFailureError
end

check 'an unknown virtual host is refused' do
  with_connection(vhost: 'nowhere') { raise 'it was let in' }
rescue Bunny::NotAllowedError => error
  equal error.message.include?('vhost nowhere not found') || error.message, true
end

check 'five hundred channels are open at once' do
  with_connection do |connection|
    channels = Array.new(500) { connection.create_channel }
    queue = channels[0].temporary_queue
    channels.each { |ch| ch.default_exchange.publish('x', routing_key: queue.name) }
    await_count(queue, 500)
  end
end

check 'heartbeats keep an idle connection alive' do
  with_connection(heartbeat: 1) do |connection|
    equal connection.heartbeat, 1
    sleep 3.5 # idleness itself is what is checked: more than two intervals must pass
    equal connection.open?, true
    echo(connection)
  end
end

check 'callbacks for a blocked connection can be registered' do
  with_connection do |connection|
    connection.on_blocked { |_| nil }
    connection.on_unblocked { |_| nil }
    equal connection.blocked?, false
    echo(connection)
  end
end

check 'update_secret is answered' do
  with_connection do |connection|
    connection.update_secret('guest', 'a conformance check')
    echo(connection)
  end
end

check 'after a cut, connection, channels, queues, bindings and consumers recover' do
  relay = Relay.new
  recovered = Queue.new
  with_connection(host: '127.0.0.1', port: relay.port, automatically_recover: true, network_recovery_interval: 0.1, recover_from_connection_close: true,
                  recovery_completed: -> { recovered << true }) do |connection|
    ch = connection.create_channel
    ch.prefetch(5)
    exchange = ch.topic(unique('recovered'), auto_delete: true)
    queue = ch.queue('', exclusive: true).bind(exchange, routing_key: 'k.#')
    got = Queue.new
    queue.subscribe(manual_ack: true) do |info, _properties, body|
      ch.ack(info.delivery_tag)
      got << body
    end
    exchange.publish('before', routing_key: 'k.1')
    equal got.pop, 'before'
    2.times do |round|
      relay.cut
      recovered.pop
      exchange.publish("after #{round}", routing_key: 'k.2')
      equal got.pop, "after #{round}"
    end
  end
end

Checks.run
