import { type Management, type ManagementOptions, startManagement } from '../../../src/management/management.ts';
import { defaultManagementSettings, type ManagementSettings } from '../../../src/management/settings.ts';
import { Broker, type BrokerOptions } from '../../../src/server/broker.ts';
import { silentLogger } from '../../../src/core/ports/logger.ts';
import { HttpClient } from './http-client.ts';

export interface ManagedBroker {
  readonly broker: Broker;
  readonly management: Management;
  readonly http: HttpClient;
}

export interface ManagedOptions {
  readonly broker?: BrokerOptions;
  readonly config?: Partial<Omit<ManagementSettings, 'management' | 'prometheus'>>;
  readonly management?: Partial<ManagementSettings['management']>;
  readonly prometheus?: Partial<ManagementSettings['prometheus']>;
  readonly options?: Partial<ManagementOptions>;
}

const anyPort = { kind: 'tcp', host: '127.0.0.1', port: 0, backlog: 128, tls: null } as const;

/** Samples come often, so that no test waits for them. */
const sampleMillis = 50;

export function managementSettings(given: ManagedOptions = {}): ManagementSettings {
  return {
    ...defaultManagementSettings,
    ...given.config,
    management: {
      ...defaultManagementSettings.management,
      listeners: [anyPort],
      sampleIntervalMillis: sampleMillis,
      ...given.management,
    },
    prometheus: { ...defaultManagementSettings.prometheus, listeners: [anyPort], ...given.prometheus },
  };
}

/** Runs a test against a broker with its management, on free ports. */
export async function withManagement(given: ManagedOptions, run: (managed: ManagedBroker) => Promise<void>): Promise<void> {
  const broker = await Broker.start({ ...given.broker });
  const amqp = {
    name: 'amqp',
    listeners: () => [{ protocol: 'amqp', host: '127.0.0.1', port: broker.port, isTls: false, backlog: 1024, certificateValidTo: null }],
  };
  try {
    const management = await startManagement({
      core: broker.core,
      frontEnds: [amqp],
      config: managementSettings(given),
      logger: silentLogger,
      ...given.options,
    });
    const http = new HttpClient(management.port);
    try {
      await run({ broker, management, http });
    } finally {
      http.close();
      await management.stop();
    }
  } finally {
    await broker.stop();
  }
}
