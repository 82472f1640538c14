// The namespaces that a server has, and how a dynamic one comes and goes.
#include <regex>
#include <stdexcept>
#include <utility>

#include "backend/socketio/client.h"
#include "backend/socketio/namespace_impl.h"

namespace limpet::socketio {

Namespace* Server::Impl::find(std::string_view name) const {
  const auto at = namespaces.find(name);
  return at == namespaces.end() ? nullptr : at->second.get();
}

Namespace& Server::Impl::make(std::string_view name, DynamicNamespace* parent) {
  auto made = Namespace::Impl::make(std::make_unique<Namespace::Impl>(*this, name, parent));
  Namespace& nsp = *made;
  namespaces.emplace(std::string(name), NamespacePtr(made.release()));
  if (name == "/") return nsp;
  const auto handlers = new_namespace;
  for (const auto& handler : handlers) guarded("new_namespace", [&] { handler(nsp); });
  return nsp;
}

// Parents are asked one after the other; each may take its time.
void Server::Impl::check_dynamic(const std::string& name, const boost::json::value& auth,
                                 std::function<void(Namespace*)> done) {
  ask_parent(0, name, auth, std::move(done));
}

void Server::Impl::ask_parent(std::size_t index, const std::string& name, const boost::json::value& auth,
                              const std::function<void(Namespace*)>& done) {
  if (index == parents.size()) return done(nullptr);
  DynamicNamespace& parent = parents[index];
  const auto asked = std::make_shared<bool>(false);
  const Verdict verdict = [this, index, name, auth, done, asked, &parent](bool accepted) {
    if (std::exchange(*asked, true)) return;
    if (accepted)
      done(accept_dynamic(name, parent));
    else
      ask_parent(index + 1, name, auth, done);
  };
  try {
    parent.impl().accepts(name, auth, verdict);
  } catch (...) {
    report("namespace", std::current_exception());
    verdict(false);
  }
}

Namespace* Server::Impl::accept_dynamic(const std::string& name, DynamicNamespace& parent) {
  if (Namespace* known = find(name)) return known;
  if (options.limits.dynamic_namespaces != 0 && dynamic_count >= options.limits.dynamic_namespaces) {
    ++totals.over_limit;
    return nullptr;
  }
  ++dynamic_count;
  return &make(name, &parent);
}

void Server::Impl::left(Namespace& nsp) {
  Namespace::Impl& impl = nsp.impl();
  if (!options.cleanup_empty_child_namespaces || impl.parent == nullptr || impl.joining != 0 ||
      impl.connected != 0)
    return;
  const auto at = namespaces.find(impl.name_);
  if (at == namespaces.end() || at->second.get() != &nsp) return;
  --dynamic_count;
  // Its adapter may be what has brought us here: both stay until the turn's end.
  retire(std::exchange(at->second, nullptr), std::move(impl.adapter));
  namespaces.erase(at);
  impl.stop();
}

DynamicNamespace& Server::of(
    std::function<void(std::string_view, const boost::json::value&, Verdict)> accepts) {
  auto impl = std::make_unique<DynamicNamespace::Impl>();
  impl->accepts = std::move(accepts);
  impl->server = impl_.get();
  return impl_->parents.emplace_back(std::move(impl));
}

DynamicNamespace& Server::of_pattern(const std::string& pattern) {
  return of([regex = std::regex(pattern, std::regex::ECMAScript | std::regex::optimize)](
                std::string_view name, const boost::json::value&, const Verdict& verdict) {
    verdict(std::regex_search(name.begin(), name.end(), regex));
  });
}

}  // namespace limpet::socketio
