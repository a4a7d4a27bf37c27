import { Injectable, RequestMethod, type OnModuleInit, type Type } from '@nestjs/common';
import { HTTP_CODE_METADATA, METHOD_METADATA, PATH_METADATA, ROUTE_ARGS_METADATA, RouteParamtypes } from '@nestjs/common/internal';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import type { z } from 'zod';
import { requirementOf } from '../authorization/requirement.guard.js';
import { operationOf, type OperationFacts } from './operation.js';
import { declaredResponse } from './response.interceptor.js';
import type { Route, RouteParameter } from './route.js';

/** Every route of this service. One that does not say who may call it, what it answers and what it is stops the start. */
@Injectable()
export class RouteTable implements OnModuleInit {
  #routes: readonly Route[] = [];

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
  ) {}

  onModuleInit(): void {
    const controllers = this.discovery.getControllers().flatMap(({ metatype }) => (typeof metatype === 'function' ? [metatype as Type] : []));
    this.#routes = routesOf(controllers, this.scanner);
  }

  get routes(): readonly Route[] {
    return this.#routes;
  }

  /** The methods that the path of an address knows; none when no route has that path. */
  methodsOf(url: string): string[] {
    const segments = (url.split('?', 1)[0] ?? '').split('/');
    const methods = this.#routes.filter((route) => matches(route.path.split('/'), segments)).map((route) => route.method);
    return [...new Set(methods)].sort();
  }
}

/** The routes of these controllers, read without starting anything. */
export function routesOf(controllers: readonly Type[], scanner = new MetadataScanner()): Route[] {
  return controllers.flatMap((controller) => scanner.getAllMethodNames(controller.prototype as object).flatMap((name) => routeOf(controller, name) ?? []));
}

function routeOf(controller: Type, handler: string): Route | undefined {
  const declared = (controller.prototype as Record<string, object>)[handler] as object;
  const path = Reflect.getMetadata(PATH_METADATA, declared) as string | undefined;
  const number = Reflect.getMetadata(METHOD_METADATA, declared) as RequestMethod | undefined;
  if (path === undefined || number === undefined) return undefined;
  const name = `${controller.name}.${handler}`;
  const method = RequestMethod[number] ?? 'GET';
  return {
    method,
    path: joined(Reflect.getMetadata(PATH_METADATA, controller) as string, path),
    requirement: present(requirementOf(declared), `${name} does not declare who may call it: add @Requires(…)`),
    response: present(declaredResponse(declared), `${name} does not declare what it answers: add @Responds…(…)`),
    operation: audited(method, present(operationOf(declared), `${name} does not say what it is: add @Operation(…)`), name),
    status: (Reflect.getMetadata(HTTP_CODE_METADATA, declared) as number | undefined) ?? (method === 'POST' ? 201 : 200),
    parameters: parametersOf(controller, handler),
  };
}

const PLACES: Readonly<Record<string, RouteParameter['in']>> = {
  [RouteParamtypes.QUERY]: 'query', [RouteParamtypes.PARAM]: 'path', [RouteParamtypes.HEADERS]: 'header', [RouteParamtypes.BODY]: 'body',
};

/** Nest keeps "<kind of parameter>:<position>" with the name and the schema that the decorator was given. */
function parametersOf(controller: Type, handler: string): RouteParameter[] {
  const declared = (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, handler) ?? {}) as Readonly<Record<string, { readonly data?: unknown; readonly schema?: z.ZodType }>>;
  return Object.entries(declared).flatMap(([key, { data, schema }]) => {
    const place = PLACES[key.split(':', 1)[0] ?? ''];
    return place === undefined ? [] : [{ in: place, name: typeof data === 'string' ? data : undefined, schema }];
  });
}

/** Whatever may change something says how the audit trail names it, or that it changes nothing. */
function audited(method: string, facts: OperationFacts, name: string): OperationFacts {
  if (method === 'GET' || method === 'HEAD' || facts.audits !== undefined) return facts;
  throw new Error(`${name} does not say what the audit trail calls it: add audits to @Operation(…)`);
}

function present<T>(value: T | undefined, complaint: string): T {
  if (value === undefined) throw new Error(complaint);
  return value;
}

function joined(...parts: string[]): string {
  return `/${parts.flatMap((part) => part.split('/')).filter((part) => part !== '').join('/')}`;
}

function matches(pattern: readonly string[], segments: readonly string[]): boolean {
  return pattern.length === segments.length && pattern.every((part, index) => part === segments[index] || (part.startsWith(':') && segments[index] !== ''));
}
