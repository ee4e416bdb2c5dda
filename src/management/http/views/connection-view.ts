import type { ConnectionInfo } from '../../../core/connection-registry.ts';
import { connectionColumns } from '../../../core/statistics/columns.ts';
import type { Services } from '../../services.ts';
import type { JsonObject } from '../reply.ts';
import type { SampleRanges } from '../sample-ranges.ts';
import { garbageCollection } from './erlang-facts.ts';
import { RateWriter } from './rates.ts';

const receivedColumn = connectionColumns.index('recv_oct');
const sentColumn = connectionColumns.index('send_oct');

export function connectionView(services: Services, connection: ConnectionInfo, ranges: SampleRanges, withStatistics: boolean): JsonObject {
  const facts = connection.describe();
  const view: JsonObject = {
    auth_mechanism: facts.mechanism,
    channel_max: facts.channelsMax,
    channels: facts.channelCount,
    client_properties: facts.clientProperties,
    connected_at: Math.floor(facts.connectedAtMillis),
    frame_max: facts.frameBytesMax,
    host: facts.host,
    name: facts.name,
    node: services.core.settings.nodeName,
    peer_cert_issuer: facts.certificate?.issuer ?? null,
    peer_cert_subject: facts.certificate?.subject ?? null,
    peer_cert_validity: facts.certificate?.validTo ?? null,
    peer_host: facts.peerHost,
    peer_port: facts.peerPort,
    port: facts.port,
    protocol: facts.protocol,
    ssl: facts.isTls,
    ssl_cipher: null,
    ssl_hash: null,
    ssl_key_exchange: null,
    ssl_protocol: null,
    state: facts.state,
    timeout: facts.heartbeatSeconds,
    type: 'network',
    user: facts.user,
    user_who_performed_action: facts.user,
    vhost: facts.vhost,
  };
  if (facts.givenName !== null) view['user_provided_name'] = facts.givenName;
  if (!withStatistics) return view;
  const history = services.statistics.of(connection);
  const rates = new RateWriter(services.statistics);
  rates.write(view, 'recv_oct', facts.receivedBytes, history, [receivedColumn], ranges.dataRates);
  rates.write(view, 'send_oct', facts.sentBytes, history, [sentColumn], ranges.dataRates);
  rates.write(view, 'reductions', 0, undefined, [], ranges.dataRates);
  Object.assign(view, { garbage_collection: garbageCollection, recv_cnt: 0, send_cnt: 0, send_pend: facts.pendingBytes });
  return view;
}
