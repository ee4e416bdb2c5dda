// A NestJS microservice and its client over the transport RMQ. (Plain JavaScript: the decorators are called by hand.)
import 'reflect-metadata';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientProxyFactory, MessagePattern, Transport } from '@nestjs/microservices';
import { firstValueFrom } from 'rxjs';
import { Broker } from 'warrenmq';

class SumController {
  sum(numbers) {
    return numbers.reduce((sum, number) => sum + number, 0);
  }
}
MessagePattern('sum')(SumController.prototype, 'sum', Object.getOwnPropertyDescriptor(SumController.prototype, 'sum'));
Controller()(SumController);

class AppModule {}
Module({ controllers: [SumController] })(AppModule);

test('a request is answered', async t => {
  const broker = await Broker.start();
  t.after(() => broker.stop());
  const options = { transport: Transport.RMQ, options: { urls: [broker.amqpUrl], queue: 'sums', queueOptions: { durable: false } } };
  const service = await NestFactory.createMicroservice(AppModule, { ...options, logger: false });
  await service.listen();
  const client = ClientProxyFactory.create(options);
  assert.equal(await firstValueFrom(client.send('sum', [1, 2, 3])), 6);
  assert.equal((await broker.vhost().queue('sums').received(1))[0].fateIn('sums'), 'delivered');
  await client.close();
  await service.close();
});
