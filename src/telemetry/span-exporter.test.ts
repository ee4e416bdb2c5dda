import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Logger } from '../core/ports/logger.ts';
import { silentLogger } from '../core/ports/logger.ts';
import { internalKind, newSpanId, newTraceId, type Span } from './span.ts';
import { defaultExporterOptions, ExportError, SpanExporter } from './span-exporter.ts';
import { tracesUrl } from './otlp-http.ts';
import { otlpRequest } from './otlp-json.ts';

function span(name = 'publish'): Span {
  return {
    traceId: newTraceId(),
    spanId: newSpanId(),
    parentSpanId: '',
    traceState: '',
    name,
    kind: internalKind,
    startMillis: 1_700_000_000_000.25,
    endMillis: 1_700_000_000_001,
    attributes: { text: 'a', whole: 3, part: 0.5, truth: true },
  };
}

const options = { ...defaultExporterOptions, delayMillis: 0, retryMillis: 1 };

test('a full batch goes at once, and what comes meanwhile in the next', async () => {
  const batches: number[] = [];
  const exporter = new SpanExporter(
    async spans => {
      batches.push(spans.length);
      await Promise.resolve();
    },
    silentLogger,
    { ...options, batchMax: 2, delayMillis: 1e6 },
  );
  for (let count = 0; count < 5; count++) exporter.add(span());
  await exporter.stop(1000);
  assert.deepEqual(batches, [2, 2, 1]);
  assert.equal(exporter.exportedCount, 5);
});

test('what is more than may wait is dropped and counted', async () => {
  const exporter = new SpanExporter(async () => {}, silentLogger, { ...options, waitingMax: 3, delayMillis: 1e6 });
  for (let count = 0; count < 4; count++) exporter.add(span());
  assert.equal(exporter.droppedCount, 1);
  await exporter.stop(1000);
  assert.equal(exporter.exportedCount, 3);
  exporter.add(span());
  assert.equal(exporter.droppedCount, 2, 'after its end nothing is taken');
});

test('a temporary failure is tried again and told once; a refusal is not tried again', async () => {
  const lines: string[] = [];
  const logger: Logger = { ...silentLogger, warning: (_category, text) => lines.push(text), info: (_category, text) => lines.push(text) };
  let tries = 0;
  const exporter = new SpanExporter(
    async () => {
      if (++tries < 3) throw new ExportError('busy', true);
      await Promise.resolve();
    },
    logger,
    options,
  );
  exporter.add(span());
  await new Promise<void>(resolve => {
    const look = (): void => void (exporter.exportedCount === 1 ? resolve() : setImmediate(look));
    look();
  });
  assert.equal(tries, 3);
  assert.deepEqual(lines, ['Spans are not exported: busy', 'Spans are exported again; 0 were lost']);

  let refusals = 0;
  const refused = new SpanExporter(
    async () => {
      refusals++;
      await Promise.reject(new ExportError('never', false));
    },
    silentLogger,
    options,
  );
  refused.add(span());
  await refused.stop(1000);
  assert.equal(refusals, 1);
  assert.equal(refused.droppedCount, 1);
});

test('a collector that never answers does not hold up the end for longer than it may', async () => {
  const exporter = new SpanExporter(
    (_spans, signal) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new ExportError('aborted', true)))),
    silentLogger,
    options,
  );
  exporter.add(span());
  await exporter.stop(10);
  assert.equal(exporter.droppedCount, 1);
});

test('spans stand in a request as OTLP has them in JSON', () => {
  const one = { ...span('deliver'), parentSpanId: 'b7ad6b7169203331', traceState: 'a=1' };
  const request = JSON.parse(otlpRequest({ 'service.name': 'warrenmq' }, '1.0', [one]));
  assert.deepEqual(request.resourceSpans[0].resource.attributes, [{ key: 'service.name', value: { stringValue: 'warrenmq' } }]);
  assert.deepEqual(request.resourceSpans[0].scopeSpans[0].spans[0], {
    traceId: one.traceId,
    spanId: one.spanId,
    parentSpanId: 'b7ad6b7169203331',
    traceState: 'a=1',
    name: 'deliver',
    kind: 1,
    startTimeUnixNano: '1700000000000250000',
    endTimeUnixNano: '1700000000001000000',
    attributes: [
      { key: 'text', value: { stringValue: 'a' } },
      { key: 'whole', value: { intValue: '3' } },
      { key: 'part', value: { doubleValue: 0.5 } },
      { key: 'truth', value: { boolValue: true } },
    ],
    status: {},
  });
});

test('spans go to /v1/traces below the address of the collector', () => {
  assert.equal(tracesUrl('http://localhost:4318'), 'http://localhost:4318/v1/traces');
  assert.equal(tracesUrl('http://localhost:4318/otlp/'), 'http://localhost:4318/otlp/v1/traces');
  assert.equal(tracesUrl('https://collector/v1/traces'), 'https://collector/v1/traces');
});
