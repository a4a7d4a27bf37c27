import { Injectable, type OnModuleInit, type Type } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { routesOf, type Route } from './route.js';

/** Every route of this service. */
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

function matches(pattern: readonly string[], segments: readonly string[]): boolean {
  return pattern.length === segments.length && pattern.every((part, index) => part === segments[index] || (part.startsWith(':') && segments[index] !== ''));
}
