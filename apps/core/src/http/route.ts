import { RequestMethod, type Type } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/internal';
import { MetadataScanner } from '@nestjs/core';
import { requirementOf } from '../authorization/requirement.guard.js';
import type { Requirement } from '../authorization/requirement.js';
import { operationOf, type OperationFacts } from './operation.js';
import { declaredResponse, type DeclaredResponse } from './response.interceptor.js';

/** One route of this service, read from the decorators of its handler. */
export interface Route {
  readonly method: string;
  /** The pattern, e.g. "/api/v2.0/users/:user_id". */
  readonly path: string;
  readonly requirement: Requirement;
  readonly operation: OperationFacts;
  readonly response: DeclaredResponse;
  readonly controller: Type;
  /** The name of the handler, a method of the controller. */
  readonly handler: string;
}

/** The routes of these controllers. One that does not say who may call it, what it answers and what it is stops the start. */
export function routesOf(controllers: readonly Type[], scanner = new MetadataScanner()): Route[] {
  return controllers.flatMap((controller) => {
    const prefix = Reflect.getMetadata(PATH_METADATA, controller) as string;
    return scanner.getAllMethodNames(controller.prototype as object).flatMap((handler) => routeOf(controller, prefix, handler) ?? []);
  });
}

function routeOf(controller: Type, prefix: string, handler: string): Route | undefined {
  const declared = (controller.prototype as Record<string, object>)[handler] as object;
  const path = Reflect.getMetadata(PATH_METADATA, declared) as string | undefined;
  const method = Reflect.getMetadata(METHOD_METADATA, declared) as RequestMethod | undefined;
  if (path === undefined || method === undefined) return undefined;
  const name = `${controller.name}.${handler}`;
  return {
    method: RequestMethod[method] ?? 'GET',
    path: joined(prefix, path),
    requirement: present(requirementOf(declared), `${name} does not declare who may call it: add @Requires(…)`),
    response: present(declaredResponse(declared), `${name} does not declare what it answers: add @Responds…(…)`),
    operation: present(operationOf(declared), `${name} does not say what it is: add @Operation(…)`),
    controller,
    handler,
  };
}

function present<T>(value: T | undefined, complaint: string): T {
  if (value === undefined) throw new Error(complaint);
  return value;
}

function joined(...parts: string[]): string {
  return `/${parts.flatMap((part) => part.split('/')).filter((part) => part !== '').join('/')}`;
}
