/** createMachine for machines that are only played: events and context of any shape, so that tests read like charts. */
import {
  createMachine as create,
  type AnyEventObject,
  type AnyStateMachine,
  type DelayConfig,
  type MachineConfig,
  type MachineContext,
  type MetaObject,
  type NonReducibleUnknown,
  type ParameterizedObject,
  type ProvidedActor,
} from 'xstate';

type LooseConfig = MachineConfig<
  MachineContext,
  AnyEventObject,
  ProvidedActor,
  ParameterizedObject,
  ParameterizedObject,
  string,
  string,
  NonReducibleUnknown,
  NonReducibleUnknown,
  AnyEventObject,
  MetaObject
>;

/** Delays by name; every other implementation is inline in such machines. */
interface LooseImplementations {
  readonly delays?: Record<string, DelayConfig<MachineContext, AnyEventObject, undefined, AnyEventObject>>;
}

/** `createMachine` of XState with types that ask nothing. */
export function createMachine(config: LooseConfig, implementations: LooseImplementations = {}): AnyStateMachine {
  return create(config, implementations as never) as unknown as AnyStateMachine;
}
