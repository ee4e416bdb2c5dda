import type { LogCategory } from '../core/ports/logger.ts';
import type { DiskFreeLimit, LogLevelName, LogLevels, MemoryWatermark, NodeControl } from '../management/node-control.ts';
import type { Broker } from './broker.ts';
import type { Config } from './config/config.ts';
import { categories } from './logging/create-logger.ts';
import type { ServerLogger } from './logging/server-logger.ts';
import { machineMemory } from './memory-monitor.ts';

/** What an operator does to the running program over the HTTP API, warrenctl's way in among it. */
export class ServerControl implements NodeControl {
  readonly #broker: Broker;
  readonly #config: Config;
  readonly #logger: ServerLogger;
  isAppRunning = true;
  isListening = true;

  constructor(broker: Broker, config: Config, logger: ServerLogger) {
    this.#broker = broker;
    this.#config = config;
    this.#logger = logger;
  }

  get memoryWatermarkBytes(): number {
    return this.#broker.memoryMonitor?.limit.watermarkBytes ?? Infinity;
  }

  get diskFreeLimitBytes(): number {
    return this.#broker.diskMonitor?.limit.freeBytesMin ?? 0;
  }

  suspendListeners(): void {
    if (!this.isListening) return;
    this.isListening = false;
    this.#broker.suspendListeners();
    this.#logger.warning('default', 'Listeners are suspended: clients cannot connect');
  }

  async resumeListeners(): Promise<void> {
    if (this.isListening) return;
    await this.#broker.resumeListeners();
    this.isListening = true;
    this.#logger.info('default', 'Listeners are resumed: clients can connect again');
  }

  async stopApp(): Promise<void> {
    if (!this.isAppRunning) return;
    this.#logger.info('default', 'WarrenMQ is asked to stop serving clients...');
    this.isAppRunning = false;
    this.suspendListeners();
    await this.#broker.closeConnections();
    this.#broker.forgetTransient();
    this.#logger.info('default', 'Successfully stopped serving clients');
  }

  async startApp(): Promise<void> {
    if (this.isAppRunning) return;
    await this.resumeListeners();
    this.isAppRunning = true;
    this.#logger.info('default', 'WarrenMQ serves clients again');
  }

  async reset(): Promise<void> {
    this.#logger.warning('default', 'Resetting: everything is deleted');
    await this.#broker.resetToFirstObjects();
  }

  collectGarbage(): void {
    this.#broker.core.compactMemory(0);
    machineMemory.collectGarbage();
  }

  reopenLogs(): void {
    this.#logger.reopen();
    this.#logger.info('default', 'Log files are open anew');
  }

  logLevels(): LogLevels {
    return { outputs: this.#logger.outputLevels, categories: Object.fromEntries(this.#logger.categoryLevels) };
  }

  setLogLevel(level: LogLevelName, category: string | null): boolean {
    if (category !== null && !categories.has(category)) return false;
    if (category === null) this.#logger.setLevel(level);
    else this.#logger.setLevel(level, category as LogCategory);
    return true;
  }

  setMemoryWatermark(watermark: MemoryWatermark): void {
    const { memoryMonitor } = this.#broker;
    if (memoryMonitor === null) return;
    const { limit } = memoryMonitor;
    const watermarkBytes = 'relative' in watermark ? Math.floor(watermark.relative * limit.totalBytes) : watermark.absoluteBytes;
    memoryMonitor.setLimit({ ...limit, watermarkBytes });
  }

  async setDiskFreeLimit(limit: DiskFreeLimit): Promise<void> {
    const bytes =
      'absoluteBytes' in limit ? limit.absoluteBytes : Math.floor(limit.relativeToMemory * this.#config.memory.totalMemoryBytes);
    await this.#broker.diskMonitor?.setLimit(bytes);
  }

  environment(): Record<string, unknown> {
    // Secrets print themselves as ***, Infinity and the like as null.
    return JSON.parse(JSON.stringify(this.#config)) as Record<string, unknown>;
  }
}
