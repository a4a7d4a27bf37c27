import { Injectable, SetMetadata, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { operationOf, type OperationFacts } from '../http/operation.js';
import { ConfigurationService } from './configuration.service.js';
import { readOnlyProblem } from './read-only-problem.js';

const WORKS = 'haven:works-while-read-only';
const READING: readonly string[] = ['GET', 'HEAD', 'OPTIONS'];
const SIGNING_IN: readonly string[] = ['login', 'logout'];

/** The route goes on in read-only mode: it changes nothing, or decides by itself. */
export function WorksWhileReadOnly(): MethodDecorator {
  return SetMetadata(WORKS, true);
}

/** Refuses every route that changes something while the installation is read-only, except logging in and out. */
@Injectable()
export class ReadOnlyGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly configuration: ConfigurationService,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const { method } = context.switchToHttp().getRequest<FastifyRequest>();
    const handler = context.getHandler();
    if (READING.includes(method) || this.reflector.get<boolean | undefined>(WORKS, handler) === true || changesNothing(operationOf(handler))) return true;
    if ((await this.configuration.current()).read_only) throw readOnlyProblem();
    return true;
  }
}

function changesNothing(operation: OperationFacts | undefined): boolean {
  const audits = operation?.audits;
  return audits !== undefined && (audits === 'nothing' || SIGNING_IN.includes(audits.operation));
}
