// Names of hosts beyond ASCII, as UTS #46 maps them.
export { toASCII } from 'real:tr46'
