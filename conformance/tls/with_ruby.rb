# amqps with Bunny.

require 'bunny'
require 'logger'
require 'uri'
require_relative '../support/checks'

ADDRESS = URI(ENV.fetch('BROKER_TLS_URL'))

def file(name)
  File.join(ENV.fetch('CERTIFICATES'), name)
end

def echo(**options)
  connection = Bunny.new(host: 'localhost', hosts: [ADDRESS.host], port: ADDRESS.port, tls: true, verify_peer: true, tls_ca_certificates: [file('authority.pem')],
                         logger: Logger.new(File::NULL), automatically_recover: false, **options)
  connection.start
  body = 'body' * 50_000
  queue = connection.create_channel.temporary_queue
  queue.publish(body)
  equal eventually { queue.pop[2] }, body
  connection.close
end

check('Bunny connects and verifies the broker') { echo }

check 'Bunny shows a client certificate' do
  echo(tls_cert: file('client.pem'), tls_key: file('client.key'))
end

check 'Bunny logs in with nothing but its certificate (EXTERNAL)' do
  echo(tls_cert: file('client.pem'), tls_key: file('client.key'), auth_mechanism: 'EXTERNAL')
end

check 'Bunny refuses a broker whose certificate it cannot verify' do
  echo(tls_ca_certificates: [file('stranger.pem')])
rescue OpenSSL::SSL::SSLError, Bunny::TCPConnectionFailed, Bunny::Exception => error
  equal error.message.include?('certificate') || error.class.name, true
else
  raise 'it connected'
end

Checks.run
