// Compiled once for each instruction set (CHAINRULE_ISA) and real type (CHAINRULE_REAL).
#include "chain.hpp"

namespace chainrule::CHAINRULE_ISA {

template <class T>
std::unique_ptr<Engine<T>> make(const Network& network) {
    return std::unique_ptr<Engine<T>>(new Chain<T>(network));
}

template std::unique_ptr<Engine<CHAINRULE_REAL>> make<CHAINRULE_REAL>(const Network& network);

}  // namespace chainrule::CHAINRULE_ISA
