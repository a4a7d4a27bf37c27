import { Module } from '@nestjs/common';
import { ImmutabilityController } from './immutability.controller.js';
import { ImmutabilityService } from './immutability.service.js';
import { ImmutabilityStore } from './immutability.store.js';

/** Immutable tag rules of projects. */
@Module({ controllers: [ImmutabilityController], providers: [ImmutabilityStore, ImmutabilityService] })
export class ImmutabilityModule {}
