import { Injectable, RequestMethod, type OnModuleInit } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/internal';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { requirementOf } from '../authorization/requirement.guard.js';
import type { Requirement } from '../authorization/requirement.js';
import { declaresResponse } from './response.interceptor.js';

export interface Route {
  readonly method: string;
  /** The pattern, e.g. "/api/v2.0/users/:user_id". */
  readonly path: string;
  readonly requirement: Requirement;
}

/** Every route of this service. A route that does not declare who may call it and what it answers stops the start. */
@Injectable()
export class RouteTable implements OnModuleInit {
  readonly #routes: Route[] = [];

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
  ) {}

  onModuleInit(): void {
    for (const { metatype } of this.discovery.getControllers()) {
      if (typeof metatype !== 'function') continue;
      const prefix = Reflect.getMetadata(PATH_METADATA, metatype) as string;
      const prototype = metatype.prototype as Record<string, unknown>;
      for (const name of this.scanner.getAllMethodNames(prototype)) {
        const handler = prototype[name];
        if (typeof handler === 'function') this.#add(`${metatype.name}.${name}`, prefix, handler);
      }
    }
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

  #add(name: string, prefix: string, handler: object): void {
    const path = Reflect.getMetadata(PATH_METADATA, handler) as string | undefined;
    const method = Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod | undefined;
    if (path === undefined || method === undefined) return;
    const requirement = requirementOf(handler);
    if (requirement === undefined) throw new Error(`${name} does not declare who may call it: add @Requires(…)`);
    if (!declaresResponse(handler)) throw new Error(`${name} does not declare what it answers: add @Responds…(…)`);
    this.#routes.push({ method: RequestMethod[method] ?? 'GET', path: joined(prefix, path), requirement });
  }
}

function joined(...parts: string[]): string {
  return `/${parts.flatMap((part) => part.split('/')).filter((part) => part !== '').join('/')}`;
}

function matches(pattern: readonly string[], segments: readonly string[]): boolean {
  return pattern.length === segments.length && pattern.every((part, index) => part === segments[index] || (part.startsWith(':') && segments[index] !== ''));
}
