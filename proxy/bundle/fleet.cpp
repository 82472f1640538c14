// What operations may do to the bundle, and how they begin and end.
#include <signal.h>

#include "proxy/bundle/supervisor_impl.h"
#include "proxy/log/log.h"

namespace limpet::bundle {

std::string Supervisor::Impl::write_files() {
  for (const auto& [name, text] : blueprint.files()) {
    if (std::string wrong = folder.write(name, text); !wrong.empty()) return wrong;
  }
  return write_pool();
}

std::string Supervisor::Impl::write_pool() {
  std::vector<ChildSpec> specs;
  for (const auto& node : node_list) specs.push_back(node->spec());
  return folder.write("limpet.toml", blueprint.proxy_document(specs));
}

std::vector<Child*> Supervisor::Impl::nodes() {
  std::vector<Child*> out;
  for (const auto& node : node_list) out.push_back(node.get());
  return out;
}

Child* Supervisor::Impl::add_node() {
  const auto number = static_cast<std::uint32_t>(node_list.size() + 1);
  const auto port = settings.port(number);
  if (!port) return nullptr;
  return node_list.emplace_back(std::make_unique<Child>(loop_, blueprint.node(number, *port), *this)).get();
}

void Supervisor::Impl::remove_node(Child& node) {
  const auto found = std::ranges::find(node_list, &node, &std::unique_ptr<Child>::get);
  if (found == node_list.end()) return;
  std::erase(drained, &node);
  removed.push_back(std::move(*found));
  node_list.erase(found);
  loop_.at_end_of_turn(turn);
}

void Supervisor::Impl::give_back(Child& node) {
  if (std::ranges::find(drained, &node) == drained.end()) drained.push_back(&node);
  loop_.at_end_of_turn(turn);
}

// A proxy that was started anew knows of no draining. One that does not answer is asked at the next change.
void Supervisor::Impl::give_back_ready() {
  if (operation || proxy->state() != State::ready) return;
  for (Child* node : drained) {
    if (node->state() != State::ready) continue;
    if (!returning) returning = std::make_unique<PoolAdmin>(loop_, proxy_admin());
    returning->ready(node->spec().id, [this, node](bool returned) {
      if (returned && std::erase(drained, node) > 0) log::debug("{}: gets sessions again", node->spec().id);
    });
  }
}

// A proxy that is not there reads the file when it starts.
std::string Supervisor::Impl::tell_proxy() {
  std::string wrong = write_pool();
  if (wrong.empty()) proxy->signal(SIGHUP);
  return wrong;
}

std::string Supervisor::Impl::begin(std::unique_ptr<Operation> fresh) {
  returning.reset();
  operation = std::move(fresh);
  ++operations;
  log::info("{}: begins", operation->name());
  operation->start();
  observer.on_change();
  return {};
}

// It may be what called us: it goes when the loop has its turn.
void Supervisor::Impl::end_operation(const std::string& wrong) {
  last = operation_view();
  last.error = wrong;
  if (wrong.empty()) log::info("{}: done", last.name);
  if (!wrong.empty()) log::error("{}: given up: {}", last.name, wrong);
  over = std::move(operation);
  observer.on_change();
  loop_.at_end_of_turn(turn);
}

OperationView Supervisor::Impl::operation_view() const {
  if (!operation) return {};
  return {operations, std::string(operation->name()), operation->done(), operation->of(), {}};
}

std::string Supervisor::Impl::why_not_now() const {
  if (stage == Overview::Stage::stopping) return "the bundle is shutting down";
  if (operation) return "a " + std::string(operation->name()) + " is under way";
  if (proxy->state() != State::ready) return "the proxy is not ready";
  return {};
}

std::string Supervisor::why_not_now() const {
  return impl_->why_not_now();
}

std::string Supervisor::tell_proxy() {
  return impl_->tell_proxy();
}

std::string Supervisor::restart() {
  if (std::string why = impl_->why_not_now(); !why.empty()) return why;
  return impl_->begin(
      rolling_restart(*impl_, [this](const std::string& wrong) { impl_->end_operation(wrong); }));
}

std::string Supervisor::scale(std::uint32_t nodes) {
  if (std::string why = impl_->why_not_now(); !why.empty()) return why;
  return impl_->begin(bundle::scale(*impl_, nodes, [this](const std::string& wrong) {
    if (wrong.empty()) impl_->observer.on_scaled();
    impl_->end_operation(wrong);
  }));
}

}  // namespace limpet::bundle
