import 'reflect-metadata';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { Requires } from '../authorization/requirement.guard.js';
import { open } from '../authorization/requirement.js';
import { Operation } from './operation.js';
import { Responds } from './response.interceptor.js';
import { RouteTable } from './route-table.service.js';

class ThingController {
  list(): void {}
  one(): void {}
  change(): void {}
  notARoute(): void {}
}

const GET = 0;
const PUT = 2;
const described = Operation({ id: 'doThing', tag: 'thing', summary: 'Do a thing' });
const changing = Operation({ id: 'changeThing', tag: 'thing', summary: 'Change a thing', audits: { operation: 'update', resourceType: 'thing' } });

/** As Nest's decorators would mark them. */
function route(name: 'list' | 'one' | 'change', method: number, path: string, ...decorators: MethodDecorator[]): void {
  const handler = ThingController.prototype[name];
  Reflect.defineMetadata('path', path, handler);
  Reflect.defineMetadata('method', method, handler);
  for (const decorate of decorators) decorate(ThingController.prototype, name, { value: handler });
}

function table(): RouteTable {
  const discovery = { getControllers: () => [{ metatype: ThingController }, { metatype: null }] };
  const scanner = { getAllMethodNames: (prototype: object) => Object.getOwnPropertyNames(prototype).filter((name) => name !== 'constructor') };
  const routes = new RouteTable(discovery as never, scanner as never);
  routes.onModuleInit();
  return routes;
}

beforeEach(() => {
  for (const name of ['list', 'one', 'change'] as const) {
    for (const key of Reflect.getMetadataKeys(ThingController.prototype[name])) Reflect.deleteMetadata(key, ThingController.prototype[name]);
  }
  Reflect.defineMetadata('path', 'api/things', ThingController);
  route('list', GET, '/', Requires(open), Responds(z.string()), described);
});

describe('the route table', () => {
  test('knows the methods of a path', () => {
    route('one', GET, ':id', Requires(open), Responds(z.string()), described);
    route('change', PUT, ':id', Requires(open), Responds(z.string()), changing);
    const routes = table();
    expect(routes.routes.map(({ method, path }) => `${method} ${path}`)).toEqual(['GET /api/things', 'GET /api/things/:id', 'PUT /api/things/:id']);
    expect(routes.methodsOf('/api/things/7?x=1')).toEqual(['GET', 'PUT']);
    expect(routes.methodsOf('/api/things')).toEqual(['GET']);
    for (const unknown of ['/api', '/api/things/', '/api/things/7/8', '/', '']) expect(routes.methodsOf(unknown)).toEqual([]);
  });

  test('refuses a route that does not say who may call it', () => {
    route('one', GET, ':id', Responds(z.string()), described);
    expect(table).toThrow('ThingController.one does not declare who may call it');
  });

  test('refuses a route that does not say what it answers', () => {
    route('one', GET, ':id', Requires(open), described);
    expect(table).toThrow('ThingController.one does not declare what it answers');
  });

  test('refuses a route that does not say what it is', () => {
    route('one', GET, ':id', Requires(open), Responds(z.string()));
    expect(table).toThrow('ThingController.one does not say what it is');
  });

  test('refuses a route that may change something and does not say what the audit trail calls it', () => {
    route('change', PUT, ':id', Requires(open), Responds(z.string()), described);
    expect(table).toThrow('ThingController.change does not say what the audit trail calls it');
  });
});
